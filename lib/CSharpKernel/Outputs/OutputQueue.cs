using System.Runtime.CompilerServices;
using System.Text;

namespace CSharpKernel.Outputs;

/// <summary>Brings the outputs of all threads into one order, and joins small writes to a stream into larger ones.</summary>
sealed class OutputQueue : IDisposable
{
    const int Full = 1 << 15;

    readonly Lock _lock = new();
    readonly Action<Output> _sink;
    readonly StringBuilder _text = new();
    readonly TimeSpan _delay;
    readonly Timer _timer;
    string _stream = "stdout";
    bool _timerRuns;

    /// <param name="sink">Takes the outputs, one at a time.</param>
    /// <param name="delay">How long text may wait for more.</param>
    public OutputQueue(Action<Output> sink, TimeSpan delay)
    {
        _sink = sink;
        _delay = delay;
        _timer = new Timer(_ => Flush());
    }

    // The optimising compiler takes an empty try block away, and what is in finally with it out of finally.
    [MethodImpl(MethodImplOptions.NoOptimization)]
    public void Write(string stream, ReadOnlySpan<char> text)
    {
        // A cell's thread may be aborted, but not in a finally block: so nothing here stays half done.
        try
        {
        }
        finally
        {
            Append(stream, text);
        }
    }

    [MethodImpl(MethodImplOptions.NoOptimization)]
    public void Send(Output output)
    {
        try
        {
        }
        finally
        {
            lock (_lock)
            {
                Flush();
                _sink(output);
            }
        }
    }

    void Append(string stream, ReadOnlySpan<char> text)
    {
        lock (_lock)
        {
            if (stream != _stream)
            {
                Flush();
                _stream = stream;
            }

            _text.Append(text);
            if (_text.Length >= Full || _delay == TimeSpan.Zero)
            {
                Flush();
            }
            else if (!_timerRuns && _text.Length > 0)
            {
                _timerRuns = true;
                _timer.Change(_delay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Flush()
    {
        lock (_lock)
        {
            _timerRuns = false;
            if (_text.Length == 0)
            {
                return;
            }

            // A surrogate pair written in two halves stays together.
            var half = char.IsHighSurrogate(_text[^1]) && _text.Length > 1 ? _text[^1].ToString() : "";
            var text = _text.ToString(0, _text.Length - half.Length);
            _text.Clear().Append(half);
            _sink(new Output.Stream(_stream, text));
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }
}
