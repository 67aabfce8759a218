using System.Net;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>A value that was read, as <c>text/html</c>: the trees and tables of .NET Interactive.</summary>
static class ShownHtml
{
    public static string Of(ShownValue value)
    {
        using var writer = new StringWriter();
        // What it requires, the style sheet for one, it writes when it is disposed.
        using (var context = new FormatContext(writer))
        {
            Write(value, 1, context);
        }

        return writer.ToString();
    }

    /// <summary>Whether the HTML would hold the plain text and no more.</summary>
    public static bool IsPlain(ShownValue value) => value is ShownValue.Line or ShownValue.Sequence { IsFlat: true } or ShownValue.Formatted { InHtml: false, Otherwise: null };

    static void Write(ShownValue value, int depth, FormatContext context)
    {
        var to = context.Writer;
        switch (value)
        {
            case ShownValue.Formatted { InHtml: true } formatted:
                formatted.Value.FormatTo(context, HtmlFormatter.MimeType);
                break;
            case ShownValue.Formatted { Otherwise: { } tree }:
                Write(tree, depth, context);
                break;
            case ShownValue.Line or ShownValue.Formatted or ShownValue.Sequence { IsFlat: true }:
                context.RequireDefaultStyles();
                to.Write($"<div class=\"dni-plaintext\"><pre>{Encoded(ShownText.Of(value))}</pre></div>");
                break;
            case ShownValue.Sequence sequence:
                var types = sequence.Items.Select(i => i.Type).Where(t => t is not null).Distinct().Count() > 1;
                var keys = sequence.Items is [{ Key: not null }, ..];
                to.Write($"<table><thead><tr><th><i>{(keys ? "key" : "index")}</i></th>{(types ? "<th><i>type</i></th>" : "")}<th>value</th></tr></thead><tbody>");
                foreach (var (index, item) in sequence.Items.Index())
                {
                    to.Write("<tr><td>");
                    Write(item.Key ?? new ShownValue.Line($"{index}"), depth + 1, context);
                    to.Write("</td>");
                    if (types)
                    {
                        to.Write($"<td>{(item.Type is null ? "" : Encoded(TypeName.Of(item.Type)))}</td>");
                    }

                    to.Write("<td>");
                    Write(item.Value, depth + 1, context);
                    to.Write("</td></tr>");
                }

                to.Write($"{(sequence.Rest.Length > 0 ? $"<tr><td colspan=\"{(types ? 3 : 2)}\"><i>{sequence.Rest}</i></td></tr>" : "")}</tbody></table>");
                break;
            case ShownValue.Object shown:
                context.RequireDefaultStyles();
                to.Write($"<details{(depth == 1 ? " open=\"open\"" : "")} class=\"dni-treeview\"><summary><span class=\"dni-code-hint\"><code>{Encoded(shown.Summary)}</code></span></summary><div><table><tbody>");
                foreach (var (name, member) in shown.Members)
                {
                    to.Write($"<tr><td>{Encoded(name)}</td><td>");
                    Write(member, depth + 1, context);
                    to.Write("</td></tr>");
                }

                to.Write("</tbody></table></div></details>");
                break;
        }
    }

    static string Encoded(string text) => WebUtility.HtmlEncode(text);
}
