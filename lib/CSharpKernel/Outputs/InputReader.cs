using CSharpKernel.Cells;

namespace CSharpKernel.Outputs;

/// <summary>Stands in for Console.In and asks whoever runs the notebook, line by line.</summary>
sealed class InputReader : TextReader
{
    string _line = "";
    int _position;

    public override int Peek() => _position < _line.Length ? _line[_position] : -1;

    public override int Read()
    {
        if (_position == _line.Length)
        {
            (_line, _position) = (CSharpEngine.Ask("", secret: false) + "\n", 0);
        }

        return _line[_position++];
    }

    // What is left of a line is a line; there is no more to fill the buffer with unless it is asked for.
    public override int Read(char[] buffer, int index, int count)
    {
        var read = 0;
        while (read < count && (read == 0 || _position < _line.Length))
        {
            buffer[index + read++] = (char)Read();
        }

        return read;
    }

    public override string ReadLine()
    {
        if (_position == _line.Length)
        {
            return CSharpEngine.Ask("", secret: false);
        }

        var rest = _line[_position..].TrimEnd('\n');
        _position = _line.Length;
        return rest;
    }
}
