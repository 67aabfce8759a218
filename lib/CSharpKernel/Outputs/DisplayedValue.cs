using System.Text.Json.Nodes;
using CSharpKernel.Cells;

namespace CSharpKernel.Outputs;

/// <summary>A value that a cell has shown, and may show anew in the same place.</summary>
public sealed class DisplayedValue
{
    static int _count;
    readonly string _id;

    DisplayedValue(string id) => _id = id;

    /// <summary>Replaces what is shown.</summary>
    public void Update(object? value) => CSharpEngine.Send(new Output.Update(MimeBundle.Of(value), _id));

    internal static DisplayedValue Show(JsonObject data)
    {
        var shown = new DisplayedValue($"display-{Interlocked.Increment(ref _count)}");
        CSharpEngine.Send(new Output.Display(data, shown._id));
        return shown;
    }
}
