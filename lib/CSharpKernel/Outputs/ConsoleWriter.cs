using System.Text;
using CSharpKernel.Cells;

namespace CSharpKernel.Outputs;

/// <summary>Stands in for Console.Out or Console.Error and hands what is written to the engine that runs cells.</summary>
sealed class ConsoleWriter(string stream, TextWriter original) : TextWriter
{
    static readonly Lock Installation = new();
    static bool _installed;

    /// <summary>The engine of this process; threads that outlive their cell still write to it.</summary>
    public static volatile OutputQueue? Target;

    public override Encoding Encoding => Encoding.UTF8;

    public static void Install()
    {
        lock (Installation)
        {
            if (!_installed)
            {
                Console.SetOut(new ConsoleWriter("stdout", Console.Out));
                Console.SetError(new ConsoleWriter("stderr", Console.Error));
                Console.SetIn(new InputReader());
                _installed = true;
            }
        }
    }

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write(value + CoreNewLineText);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        CellThreads.ThrowIfInterrupted();
        if (Target is { } queue)
        {
            queue.Write(stream, buffer);
        }
        else
        {
            original.Write(buffer);
        }
    }

    public override void Flush() => Target?.Flush();

    // Outputs are the same on every platform.
    const string CoreNewLineText = "\n";

    public override string NewLine => CoreNewLineText;
}
