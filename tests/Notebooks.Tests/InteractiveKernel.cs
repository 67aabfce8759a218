using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Outputs;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Connection;
using Microsoft.DotNet.Interactive.Events;

namespace Notebooks.Tests;

/// <summary>
/// .NET Interactive as VS Code's Polyglot Notebooks drives it: the tool of the manifest, started as
/// <c>dotnet interactive stdio</c>; commands go to it, and events come from it, as lines of JSON.
/// </summary>
sealed class InteractiveKernel : IDisposable
{
    static readonly Lazy<Task<string?>> Restoring = new(Restore);

    /// <summary>The tool, restored once for all tests; what went wrong, or null.</summary>
    public static Task<string?> Restored => Restoring.Value;

    readonly Process _process;
    readonly Task<string> _errors;

    InteractiveKernel(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    /// <summary>Starts the tool; where it cannot be had, the test is skipped.</summary>
    /// <param name="folder">The notebook's folder.</param>
    public static async Task<InteractiveKernel> Start(string folder)
    {
        Assert.SkipUnless(await Restored is null, $"The tool microsoft.dotnet-interactive cannot be restored: {await Restored}");
        var kernel = new InteractiveKernel(Process.Start(DotNet("tool", "run", "dotnet-interactive", "--", "stdio", "--working-dir", folder))!);
        await kernel.Receive(e => e is KernelReady, _ => { });
        return kernel;
    }

    /// <summary>Runs a notebook's cells in a fresh process, until one fails.</summary>
    /// <param name="notebook">The document, whose outputs are replaced.</param>
    /// <param name="folder">Its folder.</param>
    /// <returns>The failing cell's number among the code cells and what it said; null if none failed.</returns>
    public static async Task<string?> Run(Notebook notebook, string folder)
    {
        using var kernel = await Start(folder);
        var displays = new Dictionary<string, JsonObject>();
        string? failure = null;
        foreach (var (i, cell) in notebook.Cells.Where(c => c.IsCode).Index())
        {
            cell.Reset(i + 1);
            await kernel.Execute(cell.Source, output =>
            {
                failure = output is Output.Error error ? $"cell {i + 1}: {error.Message}" : failure;
                cell.Add(output, displays);
            });
            if (failure is not null)
            {
                break;
            }
        }

        return failure;
    }

    /// <summary>Runs a cell.</summary>
    /// <param name="code">Its text.</param>
    /// <param name="sink">Takes what the extension would show.</param>
    /// <exception cref="InvalidOperationException">The process has ended.</exception>
    public async Task Execute(string code, Action<Output> sink)
    {
        var command = new SubmitCode(code, "csharp");
        var token = command.GetOrCreateToken();
        await _process.StandardInput.WriteLineAsync(KernelCommandEnvelope.Serialize(command).AsMemory(), TestContext.Current.CancellationToken);
        await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await Receive(IsEnd, e =>
        {
            // A cell that runs others, as #!import does, is told of the failure of each, and of its own.
            if ((e is not CommandFailed || IsEnd(e)) && Shown(e) is { } output)
            {
                sink(output);
            }
        });

        bool IsEnd(KernelEvent e) => e is CommandSucceeded or CommandFailed && e.Command?.GetOrCreateToken() == token;
    }

    static Output? Shown(KernelEvent received) => received switch
    {
        ReturnValueProduced result => new Output.Result(Bundle(result)),
        DisplayedValueProduced display => new Output.Display(Bundle(display), display.ValueId ?? ""),
        DisplayedValueUpdated update => new Output.Update(Bundle(update), update.ValueId ?? ""),
        StandardOutputValueProduced text => new Output.Stream("stdout", Text(text)),
        StandardErrorValueProduced text => new Output.Stream("stderr", Text(text)),
        // Errors come again with the command's failure.
        DiagnosticsProduced warnings when warnings.Diagnostics.Any(d => d.Severity == Microsoft.CodeAnalysis.DiagnosticSeverity.Warning) =>
            new Output.Stream("stderr", string.Concat(warnings.Diagnostics.Select(d => $"{d}\n"))),
        CommandFailed failure => new Output.Error("Error", failure.Message, failure.Message.Split('\n'), null),
        _ => null,
    };

    static JsonObject Bundle(DisplayEvent shown) => new(shown.FormattedValues.Select(v =>
        KeyValuePair.Create(v.MimeType, OutputComparer.IsJson(v.MimeType) ? JsonNode.Parse(v.Value) : JsonValue.Create(v.Value))));

    static string Text(DisplayEvent shown) => string.Concat(shown.FormattedValues.Select(v => v.Value)).ReplaceLineEndings("\n");

    async Task Receive(Func<KernelEvent, bool> isLast, Action<KernelEvent> take)
    {
        while (await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            // What a native library prints comes between the events; the extension passes over it too.
            if (!line.StartsWith('{'))
            {
                continue;
            }

            var received = KernelEventEnvelope.Deserialize(line).Event;
            take(received);
            if (isLast(received))
            {
                return;
            }
        }

        throw new InvalidOperationException($".NET Interactive has ended: {await _errors}");
    }

    static async Task<string?> Restore()
    {
        using var process = Process.Start(DotNet("tool", "restore"))!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? null : output + await errors;
    }

    static ProcessStartInfo DotNet(params string[] arguments) => new("dotnet", arguments)
    {
        WorkingDirectory = TheSeries.Root,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        StandardInputEncoding = new UTF8Encoding(false),
        StandardOutputEncoding = Encoding.UTF8,
        Environment =
        {
            ["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_INTERACTIVE_SKIP_FIRST_TIME_EXPERIENCE"] = "1",
            // As in lib/CSharpKernel and in the README's advice: libtorch's threads spin for less long.
            ["GOMP_SPINCOUNT"] = "10000",
        },
    };

    public void Dispose()
    {
        // It stays when its input ends.
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
