using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Notebooks.Tests;

public sealed class CommittedOutputsTests
{
    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public async Task Running_a_notebook_gives_what_is_committed(string name)
    {
        var path = TheSeries.PathOf(name);
        var (committed, fresh) = (Notebook.Load(path), Notebook.Load(path));
        var result = await NoNetwork.Run(() => NotebookRunner.Run(fresh, Path.GetDirectoryName(path)!, cancellation: TestContext.Current.CancellationToken));
        Assert.True(result.Failure is null, result.Failure is null ? null : $"cell {result.Failure.Cell}, line {result.Failure.Line}: {result.Failure.Source}\n{string.Join('\n', result.Failure.Details)}");
        OutputComparer.AssertSame(committed, fresh);
    }
}
