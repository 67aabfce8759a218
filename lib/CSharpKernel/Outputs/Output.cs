using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace CSharpKernel.Outputs;

/// <summary>What a cell sends while it runs, in the terms of the Jupyter protocol.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "output_type")]
[JsonDerivedType(typeof(Stream), "stream")]
[JsonDerivedType(typeof(Display), "display_data")]
[JsonDerivedType(typeof(Update), "update_display_data")]
[JsonDerivedType(typeof(Result), "execute_result")]
[JsonDerivedType(typeof(Error), "error")]
[JsonDerivedType(typeof(Clear), "clear_output")]
public abstract record Output
{
    Output()
    {
    }

    /// <summary>Text on a stream.</summary>
    /// <param name="Name"><c>stdout</c> or <c>stderr</c>.</param>
    /// <param name="Text">Any piece of text, not necessarily whole lines.</param>
    public sealed record Stream(string Name, string Text) : Output;

    /// <summary>A value shown by <c>display</c>.</summary>
    /// <param name="Data">From MIME type to content: a string, or JSON where the type is a JSON type.</param>
    /// <param name="Id">Names the display for later updates.</param>
    public sealed record Display(JsonObject Data, string Id) : Output;

    /// <summary>New content for an earlier display.</summary>
    /// <param name="Data">As in <see cref="Display"/>.</param>
    /// <param name="Id">The display to replace.</param>
    public sealed record Update(JsonObject Data, string Id) : Output;

    /// <summary>The value of the expression that ends a cell.</summary>
    /// <param name="Data">As in <see cref="Display"/>.</param>
    public sealed record Result(JsonObject Data) : Output;

    /// <summary>Why the cell failed; at most one for a cell, and the last of its outputs.</summary>
    /// <param name="Name">The exception's type.</param>
    /// <param name="Message">The exception's message.</param>
    /// <param name="Traceback">The lines that a reader is shown.</param>
    /// <param name="Line">The line of the cell, from 1, where it is known.</param>
    public sealed record Error(string Name, string Message, IReadOnlyList<string> Traceback, int? Line) : Output;

    /// <summary>Takes away what the cell has shown so far.</summary>
    /// <param name="Wait">Only when the next output comes.</param>
    public sealed record Clear(bool Wait) : Output;
}
