using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;
using CSharpKernel.Tests.Jupyter;

namespace Benchmarks;

/// <summary>What a client waits for, over the protocol, from the kernel that <c>install</c> puts where Jupyter finds it.</summary>
static class KernelBenchmark
{
    const int Declared = 500;
    const int Lines = 100_000;

    static readonly string[] Endless = ["while (true) { }", "System.Threading.Thread.Sleep(-1);", "await Task.Delay(-1);"];

    public static void Run(Options options)
    {
        var folder = Directory.CreateTempSubdirectory("kernel-").FullName;
        try
        {
            var program = Install(folder);
            Figures.Header("what", "median", "slowest", "target");
            var starts = Enumerable.Range(0, Math.Clamp(options.Rounds, 1, 9)).Select(_ => Seconds(() =>
            {
                var started = new RunningKernel("key", program);
                Expect(started.Client.Execute("1 + 1").Result, "2");
                return started;
            })).ToList();
            Row("process start to first result", starts, "≤ 2 s");

            using var kernel = new RunningKernel("key", program);
            var client = kernel.Client;
            var repeats = options.Quick ? 10 : 50;
            Row("a trivial cell", Repeated(repeats, i => Expect(client.Execute($"{i} + 1").Result, $"{i + 1}")), "≤ 0.015 s");
            for (var i = 0; i < Declared; i++)
                Expect(client.Execute($"var v{i} = {i};").Status, "ok");
            Row($"a trivial cell after {Declared} cells", Repeated(repeats, i => Expect(client.Execute($"v{i} + 1").Result, $"{i + 1}")), "≤ 0.015 s");
            Row($"completion after {Declared} cells", Repeated(repeats, i =>
            {
                var code = $"v{i}.ToStr";
                var reply = client.Ask(Channel.Shell, "complete_request", new() { ["code"] = code, ["cursor_pos"] = code.Length });
                Expect(reply.Reply.Content["matches"]!.AsArray().Any(m => m!.GetValue<string>() == "ToString").ToString(), bool.TrueString);
            }), "≤ 0.15 s");
            Row($"{Lines:N0} lines of output, all arrived", Repeated(3, _ =>
            {
                var cell = client.Execute($"for (var i = 0; i < {Lines}; i++) Console.WriteLine(i);");
                Expect($"{cell.Stream("stdout").Count(c => c == '\n')}", $"{Lines}");
            }), "≤ 5 s");
            foreach (var code in Endless)
                Row($"interrupt of `{code}`", [.. Enumerable.Range(0, 3).Select(_ => Interrupt(client, code))], "≤ 2 s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Installs the kernel below a folder.</summary>
    /// <returns>The assembly that the kernelspec starts.</returns>
    static string Install(string folder)
    {
        var root = typeof(KernelBenchmark).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
        var notebooks = Path.Combine(root, "notebooks");
        using (var process = Process.Start("dotnet", ["run", "--project", notebooks, "--", "install", "--prefix", folder, "--name", "benchmark"]))
        {
            process.WaitForExit();
            Expect($"{process.ExitCode}", "0");
        }

        var spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "share", "jupyter", "kernels", "benchmark", "kernel.json")))!;
        return spec["argv"]!.AsArray().Select(a => a!.GetValue<string>()).Single(a => a.EndsWith(".dll", StringComparison.Ordinal));
    }

    static double Interrupt(KernelClient client, string code)
    {
        var cell = client.SendExecute($"Console.WriteLine(\"begun\"); {code}");
        client.PublishedUntil(m => m.ParentId == cell && m.Summary == "stdout begun");
        return Seconds(() =>
        {
            client.Send(Channel.Control, "interrupt_request", []);
            Expect(client.Answer(Channel.Shell, cell).Status, "error");
            return null;
        });
    }

    /// <summary>The first is not counted: it compiles what the others use.</summary>
    static List<double> Repeated(int times, Action<int> action) =>
        [.. Enumerable.Range(0, times + 1).Select(i => Seconds(() =>
        {
            action(i);
            return null;
        })).Skip(1)];

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

    static void Row(string what, List<double> seconds, string target) =>
        Figures.Row(what, $"{seconds.Median().ToString("F3", CultureInfo.InvariantCulture)} s", $"{seconds.Max().ToString("F3", CultureInfo.InvariantCulture)} s", target);
}
