using Microsoft.DotNet.Interactive.Formatting;
using Plotly.NET;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>How notebooks show tensors, pictures, charts and tables.</summary>
public static class Formatters
{
    static readonly Lock Gate = new();

    /// <summary>Registers all of them with the notebook's formatter API; a second call changes nothing.</summary>
    public static void Register()
    {
        lock (Gate)
        {
            if (Formatter.RegisteredFormatters(includeDefaults: false).Any(formatter => formatter.Type == typeof(Table)))
                return;
            Add<Tensor>(("text/plain", TensorText.Of));
            // In a list of variables.
            Formatter.Register<Tensor>((tensor, writer) => writer.Write(TensorText.Kind(tensor)), "text/plain+summary");
            Add<PngPicture>(("image/png", picture => Convert.ToBase64String(picture.Content)), ("text/plain", picture => picture.ToString()));
            Add<GenericChart>((ChartOutput.MimeType, ChartOutput.Json), ("text/html", ChartOutput.Html), ("text/plain", ChartOutput.Text));
            Add<Explorer>(("text/html", explorer => explorer.ToFrame()), ("image/png", explorer => Convert.ToBase64String(explorer.Picture.Content)), ("text/plain", explorer => explorer.ToString()));
            Add<Film>(("text/html", film => film.ToFrame()), ("image/png", film => Convert.ToBase64String(film.Picture.Content)), ("text/plain", film => film.ToString()));
            Add<Table>(("text/html", table => table.ToHtml()), ("text/plain", table => table.ToString()));
            // Shapes and single numbers: .NET Interactive would show the same text in a box of HTML, with a style sheet.
            foreach (var type in new[] { typeof(long[]), typeof(int), typeof(long), typeof(float), typeof(double) })
                Formatter.SetPreferredMimeTypesFor(type, "text/plain");
        }
    }

    static void Add<T>(params (string MimeType, Func<T, string> Format)[] formats)
    {
        foreach (var (mimeType, format) in formats)
            Formatter.Register<T>((value, writer) => writer.Write(format(value)), mimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), [.. formats.Select(format => format.MimeType)]);
    }
}
