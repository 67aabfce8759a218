using System.Text.Json.Nodes;
using CSharpKernel.Cells;
using CSharpKernel.Outputs;

namespace CSharpKernel.Jupyter;

/// <summary>
/// Answers those requests of the debug adapter protocol by which JupyterLab's panel lists the variables. There is no
/// debugger: no breakpoint is taken, and nothing ever stops.
/// </summary>
/// <param name="variables">Gives the variables that the next cell can see.</param>
sealed class VariablesPanel(Func<IReadOnlyList<Variable>> variables)
{
    bool _started;
    int _count;

    public JsonObject Answer(Request request)
    {
        var command = request.Text("command");
        _started = command == "initialize" || _started && command is not ("disconnect" or "terminate");
        var body = command switch
        {
            "debugInfo" => new()
            {
                ["isStarted"] = _started,
                ["hashMethod"] = "Murmur2",
                ["hashSeed"] = 0,
                ["tmpFilePrefix"] = "",
                ["tmpFileSuffix"] = ".cs",
                ["breakpoints"] = new JsonArray(),
                ["stoppedThreads"] = new JsonArray(),
                ["richRendering"] = false,
                ["exceptionPaths"] = new JsonArray(),
            },
            "initialize" or "attach" or "configurationDone" or "setExceptionBreakpoints" or "disconnect" or "terminate" => [],
            "setBreakpoints" => new() { ["breakpoints"] = new JsonArray() },
            "dumpCell" => new() { ["sourcePath"] = "" },
            "inspectVariables" => new JsonObject
            {
                ["variables"] = new JsonArray([.. variables().Select(v => new JsonObject
                {
                    ["name"] = v.Name,
                    ["value"] = VariableTable.Describe(v.Value),
                    ["type"] = TypeName.Of(v.Type),
                    ["evaluateName"] = v.Name,
                    ["variablesReference"] = 0,
                })]),
            },
            _ => null,
        };
        return new()
        {
            ["seq"] = ++_count,
            ["type"] = "response",
            ["request_seq"] = request.Number("seq"),
            ["success"] = body is not null,
            ["command"] = command,
            ["message"] = body is null ? $"This kernel lists variables, and has no debugger: {command} is not answered." : null,
            ["body"] = body ?? [],
        };
    }
}
