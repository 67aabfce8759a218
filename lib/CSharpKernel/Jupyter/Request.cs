using System.Text.Json.Nodes;

namespace CSharpKernel.Jupyter;

/// <summary>A message from a front end whose signature was right.</summary>
/// <param name="Identities">Who sent it: the frames that lead a reply back.</param>
/// <param name="Header">Its header as it came, which replies give as their parent.</param>
/// <param name="Id">The header's <c>msg_id</c>.</param>
/// <param name="Type">The header's <c>msg_type</c>.</param>
/// <param name="ParentId">The <c>msg_id</c> of the message that it answers; null where it names none.</param>
/// <param name="Content">What it asks.</param>
sealed record Request(IReadOnlyList<byte[]> Identities, byte[] Header, string Id, string Type, string? ParentId, JsonObject Content)
{
    /// <exception cref="InvalidDataException">It has no such text.</exception>
    public string Text(string name) => Optional<string>(name) ?? throw Missing(name, "a string");

    /// <exception cref="InvalidDataException">It has no such number.</exception>
    public int Number(string name) => Content[name] is JsonValue value && value.TryGetValue(out int number) ? number : throw Missing(name, "a number");

    public bool Flag(string name, bool otherwise) => Content[name] is JsonValue value && value.TryGetValue(out bool flag) ? flag : otherwise;

    public T? Optional<T>(string name) => Content[name] is JsonValue value && value.TryGetValue(out T? found) ? found : default;

    InvalidDataException Missing(string name, string expected) =>
        new($"{Type}: {name}: expected {expected}, found {Content[name]?.ToJsonString() ?? "nothing"}.");
}
