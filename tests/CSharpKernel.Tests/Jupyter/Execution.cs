namespace CSharpKernel.Tests.Jupyter;

/// <summary>What a client has received for a request.</summary>
/// <param name="Id">The request's <c>msg_id</c>.</param>
/// <param name="Reply">The reply.</param>
/// <param name="Published">What came on iopub with the request as its parent, up to idle.</param>
sealed record Execution(string Id, Message Reply, IReadOnlyList<Message> Published)
{
    public string Status => Reply.Text("status");

    /// <summary>What was published between busy and idle, <c>execute_input</c> left out.</summary>
    public IReadOnlyList<string> Outputs => [.. Published.Where(m => m.Type is not ("status" or "execute_input")).Select(m => m.Summary)];

    /// <summary>The plain text of the result; null without one.</summary>
    public string? Result => Published.SingleOrDefault(m => m.Type == "execute_result")?.Content["data"]!["text/plain"]!.GetValue<string>();

    public string Stream(string name) => string.Concat(Published.Where(m => m.Type == "stream" && m.Text("name") == name).Select(m => m.Text("text")));
}
