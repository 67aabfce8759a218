using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace CSharpKernel.Jupyter;

/// <summary>What was run since the kernel began, the newest entries of it.</summary>
sealed class ExecutionHistory
{
    const int Capacity = 10_000;

    /// <summary>The one session that there is.</summary>
    const int Session = 1;

    readonly Lock _lock = new();
    readonly Queue<Entry> _entries = new();
    Entry? _last;

    public void Add(int count, string code)
    {
        lock (_lock)
        {
            _entries.Enqueue(_last = new(count, code));
            if (_entries.Count > Capacity)
            {
                _entries.Dequeue();
            }
        }
    }

    /// <summary>Remembers the plain text of the newest entry's result.</summary>
    public void AddResult(string? text)
    {
        lock (_lock)
        {
            _last?.Output = text;
        }
    }

    /// <summary>Answers a <c>history_request</c>.</summary>
    /// <exception cref="InvalidDataException">It asks in a way that is not known.</exception>
    public JsonArray Answer(Request request)
    {
        List<Entry> entries;
        lock (_lock)
        {
            entries = [.. _entries];
        }

        var found = request.Text("hist_access_type") switch
        {
            "tail" => entries.TakeLast(request.Number("n")),
            "range" => entries.Where(e => (request.Optional<int>("session") is 0 or Session)
                && e.Count >= request.Optional<int>("start") && (request.Optional<int?>("stop") is not { } stop || e.Count < stop)),
            "search" => Search(entries),
            var other => throw new InvalidDataException($"history_request: hist_access_type: expected tail, range or search, found '{other}'."),
        };
        var withOutput = request.Flag("output", false);
        return new([.. found.Select(e => new JsonArray(Session, e.Count, withOutput ? new JsonArray(e.Code, e.Output) : e.Code))]);

        IEnumerable<Entry> Search(List<Entry> entries)
        {
            var pattern = request.Optional<string>("pattern") ?? "*";
            var matches = entries.Where(e => FileSystemName.MatchesSimpleExpression(pattern, e.Code, ignoreCase: false));
            if (request.Flag("unique", false))
            {
                matches = matches.GroupBy(e => e.Code).Select(g => g.Last());
            }

            return request.Optional<int?>("n") is { } n ? matches.TakeLast(n) : matches;
        }
    }

    sealed record Entry(int Count, string Code)
    {
        public string? Output { get; set; }
    }
}
