using System.Text.Json.Nodes;

namespace CSharpKernel.Tests.Jupyter;

/// <summary>What a client has received.</summary>
/// <param name="Type">The header's <c>msg_type</c>.</param>
/// <param name="Id">The header's <c>msg_id</c>.</param>
/// <param name="ParentId">The <c>msg_id</c> of what it answers; null for none.</param>
/// <param name="Content">Its content.</param>
sealed record Message(string Type, string Id, string? ParentId, JsonObject Content)
{
    public string Text(string name) => Content[name]!.GetValue<string>();

    /// <summary>The message as one line, so that sequences are compared at a glance.</summary>
    public string Summary => Type switch
    {
        "status" => Text("execution_state"),
        "stream" => $"{Text("name")} {Text("text").TrimEnd('\n')}",
        "execute_result" or "display_data" or "update_display_data" => $"{Type} {Content["data"]!["text/plain"]}",
        "error" => $"error {Text("evalue")}",
        _ => Type,
    };
}
