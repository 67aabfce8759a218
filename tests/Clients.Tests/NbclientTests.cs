using System.Text.Json.Nodes;
using CSharpKernel.Documents;

namespace Clients.Tests;

/// <summary>The notebooks as nbclient, nbconvert and papermill run them.</summary>
public sealed class NbclientTests(Jupyter jupyter)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    /// <summary>Three: text and pictures, tables and charts, and a training. All run in our kernel and in .NET Interactive.</summary>
    public static TheoryData<string> Names => [.. TheSeries.Series.Select(["01", "05", "09"])];

    [Theory, MemberData(nameof(Names))]
    public async Task Nbclient_gets_what_the_headless_run_has_committed(string name)
    {
        var python = Programs.Python("nbclient", "python3-nbclient");
        var (source, copy) = (TheSeries.PathOf(name), Path.Combine(jupyter.Folder, Path.GetRandomFileName() + ".ipynb"));
        var (code, output) = await Programs.Run(jupyter.Script(python, "execute.py", source, copy, await jupyter.Kernel), Limit);
        Assert.True(code == 0, output);
        var executed = Notebook.Load(copy);
        executed.Cells.Where(c => c.IsCode).ToList().ForEach(c => JoinStreams(c.Outputs));
        OutputComparer.AssertSame(Notebook.Load(source), executed);
    }

    /// <summary>What is printed arrives in pieces, which this nbclient does not join; front ends do, and nbconvert's coalesce_streams.</summary>
    static void JoinStreams(JsonArray outputs)
    {
        for (var i = outputs.Count - 1; i > 0; i--)
        {
            if (outputs[i - 1]!["name"] is { } name && JsonNode.DeepEquals(name, outputs[i]!["name"]))
            {
                outputs[i - 1]!["text"] = NotebookCell.Text(outputs[i - 1]!["text"]) + NotebookCell.Text(outputs[i]!["text"]);
                outputs.RemoveAt(i);
            }
        }
    }
}
