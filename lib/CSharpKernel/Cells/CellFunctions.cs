using System.ComponentModel;
using CSharpKernel.Outputs;
using Microsoft.AspNetCore.Html;

namespace CSharpKernel.Cells;

/// <summary>What every cell can call without importing anything; the names are .NET Interactive's.</summary>
public static class CellFunctions
{
    /// <summary>Shows a value below the cell.</summary>
    /// <param name="value">Anything, null included.</param>
    /// <param name="mimeTypes">The types to show it as; none for the types that its formatters prefer.</param>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => DisplayedValue.Show(MimeBundle.Of(value, mimeTypes));

    /// <summary>Marks text as HTML, so that it is shown as such.</summary>
    public static IHtmlContent HTML(string content) => new HtmlString(content);

    /// <summary>Shows a value below the cell.</summary>
    /// <param name="value">Anything, null included.</param>
    /// <param name="mimeTypes">The types to show it as; none for the types that its formatters prefer.</param>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) => display(value, mimeTypes);

    /// <summary>Shows text that is already in a format, for instance a picture as <c>image/svg+xml</c>.</summary>
    public static DisplayedValue DisplayAs(this string value, string mimeType) => DisplayedValue.Show(MimeBundle.OfText(value, mimeType));

    /// <summary>Takes away what the cell has shown so far.</summary>
    /// <param name="wait">Only when the next output comes, so that nothing flickers.</param>
    public static void ClearOutput(bool wait = false) => CSharpEngine.Send(new Output.Clear(wait));

    /// <summary>Asks the reader of the notebook for a line of text.</summary>
    /// <exception cref="InvalidOperationException">There is nobody to ask.</exception>
    public static string input(string prompt = "") => CSharpEngine.Ask(prompt, secret: false);

    /// <summary>Asks the reader of the notebook for a line of text that is not shown while it is typed.</summary>
    /// <exception cref="InvalidOperationException">There is nobody to ask.</exception>
    public static string password(string prompt = "") => CSharpEngine.Ask(prompt, secret: true);

    /// <summary>Stands in every loop of a cell when it is compiled.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static void ThrowIfInterrupted()
    {
        if (CellThreads.AnyInterrupted)
        {
            CellThreads.ThrowIfInterrupted();
        }
    }
}
