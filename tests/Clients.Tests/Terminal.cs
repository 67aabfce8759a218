using System.Diagnostics;
using System.Globalization;

namespace Clients.Tests;

/// <summary>A terminal of tmux, with a screen that can be read and a keyboard.</summary>
sealed class Terminal : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    readonly Jupyter _jupyter;
    readonly string _tmux;
    readonly string _socket;

    Terminal(Jupyter jupyter, string tmux) =>
        (_jupyter, _tmux, _socket) = (jupyter, tmux, Path.Combine(jupyter.Folder, Path.GetRandomFileName()));

    /// <summary>Runs a program in a terminal of 160 columns and 40 lines. When it ends, its last screen stays.</summary>
    public static async Task<Terminal> Start(Jupyter jupyter, string tmux, params string[] command)
    {
        var terminal = new Terminal(jupyter, tmux);
        await terminal.Tmux(["new-session", "-d", "-x", "160", "-y", "40", .. command, ";", "set-option", "remain-on-exit", "on"]);
        return terminal;
    }

    /// <summary>Types text as it is.</summary>
    public Task Type(string text) =>
        // tmux takes a semicolon at an argument's end for the end of its own command.
        Tmux("send-keys", "-l", text.EndsWith(';') ? text[..^1] + "\\;" : text);

    /// <summary>Types a line, and ends it when it is there.</summary>
    /// <param name="line">The line.</param>
    /// <param name="key">What ends it.</param>
    public async Task Enter(string line, string key = "Enter")
    {
        await Type(line);
        await Until(screen => screen.EndsWith(line, StringComparison.Ordinal), $"'{line}'");
        await Press(key);
    }

    /// <summary>Presses keys by tmux's names: Enter, Tab, C-c …</summary>
    public Task Press(params string[] keys) => Tmux(["send-keys", .. keys]);

    /// <summary>Waits until the screen shows something.</summary>
    /// <returns>The screen.</returns>
    /// <exception cref="TimeoutException">It does not come; the message holds the last screen.</exception>
    public async Task<string> Until(Func<string, bool> shown, string what)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var screen = (await Tmux("capture-pane", "-p")).TrimEnd();
            if (shown(screen))
            {
                return screen;
            }

            if (watch.Elapsed > Limit)
            {
                throw new TimeoutException($"The terminal does not show {what} but:\n{screen}");
            }

            await Task.Delay(Interval, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until the screen shows a text.</summary>
    public Task<string> Until(string text) => Until(screen => screen.Contains(text, StringComparison.Ordinal), $"'{text}'");

    /// <summary>Ends the program with all that it has started.</summary>
    public async ValueTask DisposeAsync()
    {
        if (await Tmux("list-panes", "-F", "#{?pane_dead,,#{pane_pid}}") is { } pane && int.TryParse(pane, CultureInfo.InvariantCulture, out var id))
        {
            using var program = Process.GetProcessById(id);
            program.Kill(entireProcessTree: true);
        }

        await Tmux("kill-server");
    }

    async Task<string> Tmux(params string[] arguments)
    {
        var (code, output) = await Programs.Run(_jupyter.Program(_tmux, ["-u", "-f", "/dev/null", "-S", _socket, .. arguments]), Limit);
        return code == 0 ? output : throw new InvalidOperationException($"tmux {string.Join(' ', arguments)}: {output}");
    }
}
