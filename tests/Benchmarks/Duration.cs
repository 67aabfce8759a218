using System.Diagnostics;

namespace Benchmarks;

/// <summary>
/// What something took: by the clock, and in the processor's time of all threads of this process. The second hardly
/// moves when other programs want the same cores; with several threads it counts their waiting for one another too.
/// </summary>
readonly record struct Duration(double Wall, double Processor)
{
    /// <summary>In seconds.</summary>
    public static Duration Of(Action action)
    {
        var elapsed = Begin();
        action();
        return elapsed();
    }

    /// <summary>Starts the clocks; what is returned reads them.</summary>
    public static Func<Duration> Begin()
    {
        var (processor, clock) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
        return () =>
        {
            var wall = clock.Elapsed;
            return new(wall.TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
        };
    }

    /// <summary>Measures several things in turns, after one round that is not counted.</summary>
    /// <returns>For each, its durations in the order of the rounds.</returns>
    public static Duration[][] InTurns(int rounds, params Action[] actions)
    {
        foreach (var action in actions)
            action();
        var durations = actions.Select(_ => new Duration[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < actions.Length; i++)
                durations[i][round] = Of(actions[i]);
        return durations;
    }
}
