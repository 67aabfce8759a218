using System.Diagnostics;
using System.Globalization;

namespace Notebooks;

/// <summary>Tells which cell of a notebook runs: in a terminal on one line that is written over, else on a line for each cell.</summary>
sealed class Progress : IDisposable
{
    readonly string _name;
    readonly int _cells;
    readonly TextWriter _output;
    readonly bool _live;
    readonly Stopwatch _watch = Stopwatch.StartNew();
    readonly Lock _lock = new();
    readonly Timer? _timer;
    int _cell;
    bool _ended;

    /// <summary>Starts telling.</summary>
    /// <param name="name">The notebook.</param>
    /// <param name="cells">Its code cells.</param>
    /// <param name="output">Where to tell.</param>
    /// <param name="live">Whether that is a terminal.</param>
    public Progress(string name, int cells, TextWriter output, bool live)
    {
        (_name, _cells, _output, _live) = (name, cells, output, live);
        _timer = live ? new Timer(_ => Tell(), null, TimeSpan.Zero, TimeSpan.FromSeconds(1)) : null;
    }

    /// <summary>A cell starts.</summary>
    /// <param name="cell">Its number, from 1.</param>
    public void Start(int cell)
    {
        _cell = cell;
        Tell();
    }

    void Tell()
    {
        lock (_lock)
        {
            if (_ended)
            {
                return;
            }

            var text = $"{_name}  cell {_cell}/{_cells}  {_watch.Elapsed.ToString(@"m\:ss", CultureInfo.InvariantCulture)}";
            _output.Write(_live ? "\r" + text + "\u001b[K" : text + "\n");
            _output.Flush();
        }
    }

    /// <summary>Ends the line.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            _timer?.Dispose();
            if (_live)
            {
                _output.WriteLine();
            }
        }
    }
}
