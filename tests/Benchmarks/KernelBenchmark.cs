using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;
using CSharpKernel.Tests.Jupyter;

namespace Benchmarks;

/// <summary>
/// What a client waits for, from the kernel that <c>install</c> puts where Jupyter finds it, and from .NET Interactive,
/// which the manifest of tools names. The two take turns.
/// </summary>
static class KernelBenchmark
{
    const int Declared = 500;
    const int Lines = 100_000;

    /// <summary>What .NET Interactive prints, too: a hundred times as many would take it hours.</summary>
    const int FewLines = 1_000;

    static readonly string[] Endless = ["while (true) { }", "System.Threading.Thread.Sleep(-1);", "await Task.Delay(-1);"];

    static readonly string Root = typeof(KernelBenchmark).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static void Run(Options options)
    {
        var folder = Directory.CreateTempSubdirectory("kernel-").FullName;
        try
        {
            Expect($"{Finished(Root, "tool", "restore")}", "0");
            var program = Install(folder);
            Figures.Header("what", "median", "slowest", "target", ".NET Interactive", "as many times as long");
            Compare("process start to first result", Math.Clamp(options.Rounds, 1, 5), "≤ 2 s, 5 times", _ =>
            {
                var started = new RunningKernel("key", program);
                Expect(started.Client.Execute("1 + 1").Result, "2");
                return started;
            }, _ =>
            {
                var started = new InteractiveProcess(Root);
                Expect(started.Result("1 + 1"), "2");
                return started;
            });

            using var kernel = new RunningKernel("key", program);
            using var interactive = new InteractiveProcess(Root);
            var client = kernel.Client;
            var repeats = options.Quick ? 5 : 20;
            var cells = 0;
            foreach (var declared in new[] { 100, Declared })
            {
                for (; cells < declared; cells++)
                {
                    Expect(client.Execute($"var v{cells} = {cells};").Status, "ok");
                    interactive.Result($"var v{cells} = {cells};");
                }

                Compare($"a trivial cell after {declared} cells", repeats, "≤ 0.015 s, 3 times",
                    i => Nothing(() => Expect(client.Execute($"v{i} + 1").Result, $"{i + 1}")),
                    i => Nothing(() => Expect(interactive.Result($"v{i} + 1"), $"{i + 1}")));
            }

            Compare($"completion after {Declared} cells", repeats, "≤ 0.15 s, 50 times", i => Nothing(() =>
            {
                var code = $"v{i}.ToStr";
                var reply = client.Ask(Channel.Shell, "complete_request", new() { ["code"] = code, ["cursor_pos"] = code.Length });
                Expect(reply.Reply.Content["matches"]!.AsArray().Any(m => m!.GetValue<string>() == "ToString").ToString(), bool.TrueString);
            }), i => Nothing(() => Expect(interactive.Completes($"v{i}.ToStr", "ToString").ToString(), bool.TrueString)));
            string Print(int lines) => $"for (var i = 0; i < {lines}; i++) Console.WriteLine(i);";
            void Lined(int lines) => Expect($"{client.Execute(Print(lines)).Stream("stdout").Count(c => c == '\n')}", $"{lines}");
            Compare($"{FewLines:N0} lines of output, all arrived", 2, "", _ => Nothing(() => Lined(FewLines)), _ => Nothing(() => interactive.Result(Print(FewLines))));
            Alone($"{Lines:N0} lines of output, all arrived", Repeated(3, _ => Nothing(() => Lined(Lines))), "≤ 5 s");
            foreach (var code in Endless)
                Alone($"interrupt of `{code}`", [.. Enumerable.Range(0, 3).Select(_ => Interrupt(client, code))], "≤ 2 s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static int Finished(string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>Installs the kernel below a folder.</summary>
    /// <returns>The assembly that the kernelspec starts.</returns>
    static string Install(string folder)
    {
        Expect($"{Finished(Root, "run", "--project", "notebooks", "--", "install", "--prefix", folder, "--name", "benchmark")}", "0");
        var spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "share", "jupyter", "kernels", "benchmark", "kernel.json")))!;
        return spec["argv"]!.AsArray().Select(a => a!.GetValue<string>()).Single(a => a.EndsWith(".dll", StringComparison.Ordinal));
    }

    static double Interrupt(KernelClient client, string code)
    {
        var cell = client.SendExecute($"Console.WriteLine(\"begun\"); {code}");
        client.PublishedUntil(m => m.ParentId == cell && m.Summary == "stdout begun");
        return Seconds(() => Nothing(() =>
        {
            client.Send(Channel.Control, "interrupt_request", []);
            Expect(client.Answer(Channel.Shell, cell).Status, "error");
        }));
    }

    /// <summary>The first is not counted: it compiles what the others use.</summary>
    static List<double> Repeated(int times, Func<int, IDisposable?> action) =>
        [.. Enumerable.Range(0, times + 1).Select(i => Seconds(() => action(i))).Skip(1)];

    static IDisposable? Nothing(Action action)
    {
        action();
        return null;
    }

    /// <summary>Ours and theirs in turn.</summary>
    static void Compare(string what, int times, string target, Func<int, IDisposable?> ours, Func<int, IDisposable?> theirs)
    {
        var theirSeconds = new List<double>();
        var seconds = new List<double>();
        for (var i = 0; i <= times; i++)
        {
            seconds.Add(Seconds(() => ours(i)));
            theirSeconds.Add(Seconds(() => theirs(i)));
        }

        var median = theirSeconds.Skip(1).Median();
        Row(what, seconds[1..], target, Text(median), (median / seconds.Skip(1).Median()).ToString("F1", CultureInfo.InvariantCulture));
    }

    static void Alone(string what, List<double> seconds, string target) => Row(what, seconds, target, "", "");

    /// <summary>By the clock; what is left over goes after it.</summary>
    static double Seconds(Func<IDisposable?> action)
    {
        var watch = Stopwatch.StartNew();
        var left = action();
        var seconds = watch.Elapsed.TotalSeconds;
        left?.Dispose();
        return seconds;
    }

    static void Expect(string? found, string expected)
    {
        if (found != expected)
            throw new InvalidOperationException($"The kernel was to give {expected}, and gave {found ?? "nothing"}.");
    }

    static void Row(string what, List<double> seconds, string target, string theirs, string ratio) =>
        Figures.Row(what, Text(seconds.Median()), Text(seconds.Max()), target, theirs, ratio);

    static string Text(double seconds) => $"{seconds.ToString("F3", CultureInfo.InvariantCulture)} s";
}
