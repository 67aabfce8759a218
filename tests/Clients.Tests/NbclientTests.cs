using CSharpKernel;

namespace Clients.Tests;

/// <summary>The notebooks as nbclient, nbconvert and papermill run them.</summary>
public sealed class NbclientTests(Jupyter jupyter)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public async Task Nbclient_gets_what_the_headless_run_has_committed(string name)
    {
        var python = Programs.Python("nbclient", "python3-nbclient");
        var (source, copy) = (TheSeries.PathOf(name), Path.Combine(jupyter.Folder, Path.GetRandomFileName() + ".ipynb"));
        var (code, output) = await Programs.Run(jupyter.Script(python, "execute.py", source, copy, await jupyter.Kernel), Limit);
        Assert.True(code == 0, output);
        var differences = Notebook.Load(source).Cells.Zip(Notebook.Load(copy).Cells).Where(c => c.First.IsCode)
            .SelectMany((c, i) => OutputComparer.Differences(c.First, c.Second).Select(d => $"cell {i + 1}, {d}")).ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
