using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Repository.Tests;

public sealed class LinkTests
{
    [Theory, MemberData(nameof(Document.All), MemberType = typeof(Document))]
    public void Links_within_the_repository_lead_somewhere(string document)
    {
        var broken = new Document(document).Texts.SelectMany(t => t.Descendants<LinkInline>()).Select(l => l.Url ?? "")
            .Where(url => !Leads(document, url)).ToList();
        Assert.True(broken.Count == 0, $"{document}: {string.Join(", ", broken)}");
    }

    static bool Leads(string document, string url)
    {
        if (Uri.TryCreate(url, UriKind.Absolute, out var absolute) && !url.StartsWith('/'))
        {
            return absolute.Scheme == Uri.UriSchemeHttps;
        }

        // On GitHub, what the workflows say lies beside the files.
        const string workflows = "../../actions/workflows/";
        if (document == "README.md" && url.StartsWith(workflows, StringComparison.Ordinal))
        {
            return Tree.Files.Contains($".github/workflows/{url[workflows.Length..].Replace("/badge.svg", "", StringComparison.Ordinal)}");
        }

        var parts = Uri.UnescapeDataString(url).Split('#', 2);
        var target = parts[0].Length == 0 ? document : Resolve(document, parts[0]);
        // The list, not the disk: a wrong case does no harm on some disks and breaks the link elsewhere.
        return target is not null
            && (Tree.Files.Contains(target) || Tree.Files.Any(f => f.StartsWith(target + "/", StringComparison.Ordinal)))
            && (parts.Length == 1 || Anchors(target).Contains(parts[1]));
    }

    /// <summary>The path below the root; null outside of it.</summary>
    static string? Resolve(string document, string relative)
    {
        var at = document.Split('/').SkipLast(1).ToList();
        foreach (var step in relative.TrimEnd('/').Split('/').Where(s => s != "."))
        {
            if (step != "..")
            {
                at.Add(step);
            }
            else if (at.Count > 0)
            {
                at.RemoveAt(at.Count - 1);
            }
            else
            {
                return null;
            }
        }

        return string.Join('/', at);
    }

    static IEnumerable<string?> Anchors(string target) => target.EndsWith(".md") || target.EndsWith(".ipynb")
        ? new Document(target).Texts.SelectMany(t => t.Descendants<HeadingBlock>()).Select(h => h.TryGetAttributes()?.Id)
        : [];
}
