using System.Text;
using CSharpKernel.Cells;

namespace CSharpKernel.Outputs;

/// <summary>Stands in for Console.Out or Console.Error and hands what is written to the engine that runs cells.</summary>
sealed class ConsoleWriter : TextWriter
{
    static readonly Lock Installation = new();
    static readonly ConsoleWriter Output = new("stdout", Console.Out);
    static readonly ConsoleWriter Error = new("stderr", Console.Error);
    static readonly InputReader Input = new();

    // What Console makes of the three.
    static TextWriter? _output;
    static TextWriter? _error;
    static TextReader? _input;

    /// <summary>The engine of this process; threads that outlive their cell still write to it.</summary>
    public static volatile OutputQueue? Target;

    readonly string stream;
    readonly TextWriter original;

    ConsoleWriter(string stream, TextWriter original)
    {
        (this.stream, this.original) = (stream, original);
        // Outputs are the same on every platform. It is this field that WriteLine() and WriteLine(int) write.
        CoreNewLine = ['\n'];
    }

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Puts them in their place, where something else stands there.</summary>
    public static void Install()
    {
        lock (Installation)
        {
            if (Console.Out != _output)
            {
                Console.SetOut(Output);
                _output = Console.Out;
            }

            if (Console.Error != _error)
            {
                Console.SetError(Error);
                _error = Console.Error;
            }

            // Asked for before it is set, it would set up a terminal.
            if (_input is null || Console.In != _input)
            {
                Console.SetIn(Input);
                _input = Console.In;
            }
        }
    }

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void WriteLine(string? value) => Write(value + NewLine);

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
}
