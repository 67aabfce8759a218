using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Benchmarks;

/// <summary>.NET Interactive as Polyglot Notebooks drives it: commands go to its process, and events come from it, as lines of JSON.</summary>
sealed partial class InteractiveProcess : IDisposable
{
    readonly Process _process;
    int _count;

    /// <summary>Starts it, and waits until it is ready.</summary>
    /// <param name="root">The folder of the manifest of tools.</param>
    public InteractiveProcess(string root)
    {
        _process = Process.Start(new ProcessStartInfo("dotnet", ["tool", "run", "dotnet-interactive", "--", "stdio"])
        {
            WorkingDirectory = root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_INTERACTIVE_SKIP_FIRST_TIME_EXPERIENCE"] = "1" },
        })!;
        Receive(e => (string?)e["eventType"] == "KernelReady");
    }

    /// <summary>Runs a cell.</summary>
    /// <returns>The text of its result; null without one.</returns>
    public string? Result(string code)
    {
        var value = Ask("SubmitCode", new() { ["code"] = code, ["targetKernelName"] = "csharp" }, "ReturnValueProduced");
        return value is null ? null : Tag().Replace((string)value["formattedValues"]![0]!["value"]!, "");
    }

    /// <summary>Whether a name is among those that a cell can go on with at its end.</summary>
    public bool Completes(string code, string name)
    {
        var place = new JsonObject { ["line"] = 0, ["character"] = code.Length };
        var found = Ask("RequestCompletions", new() { ["code"] = code, ["linePosition"] = place, ["targetKernelName"] = "csharp" }, "CompletionsProduced");
        return found!["completions"]!.AsArray().Any(c => (string?)c!["displayText"] == name);
    }

    JsonNode? Ask(string command, JsonObject content, string wanted)
    {
        var token = $"benchmark-{++_count}";
        _process.StandardInput.WriteLine(new JsonObject { ["token"] = token, ["commandType"] = command, ["command"] = content }.ToJsonString());
        _process.StandardInput.Flush();
        JsonNode? answer = null;
        Receive(e =>
        {
            var type = (string?)e["eventType"];
            answer = type == wanted ? e["event"] : answer;
            return type is "CommandSucceeded" or "CommandFailed" && (string?)e["command"]!["token"] == token
                && (type == "CommandSucceeded" ? true : throw new InvalidOperationException($".NET Interactive failed: {e["event"]}"));
        });
        return answer;
    }

    void Receive(Func<JsonNode, bool> isLast)
    {
        string? line;
        while ((line = _process.StandardOutput.ReadLine()) is not null && !isLast(JsonNode.Parse(line)!))
        {
        }

        if (line is null)
            throw new InvalidOperationException(".NET Interactive has ended.");
    }

    public void Dispose()
    {
        // It stays when its input ends.
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex("<style>.*</style>|<[^>]*>", RegexOptions.Singleline)]
    private static partial Regex Tag();
}
