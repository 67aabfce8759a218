using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Notebooks.Tests;

public sealed class NoNetworkTests
{
    /// <summary>So the tests that run the series prove that it needs no network.</summary>
    [Fact]
    public async Task Notebooks_run_without_a_network()
    {
        Assert.SkipUnless(NoNetwork.IsAllowed, "Network namespaces need Linux and root; here the series runs with the network there is.");
        var notebook = Notebook.Parse("""
            {"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], "source":
              "string.Join(' ', System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces().Select(n => $\"{n.Name} {n.OperationalStatus}\"))"}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            """u8, "network.ipynb");
        var result = await NoNetwork.Run(() => NotebookRunner.Run(notebook, TheSeries.Root, cancellation: TestContext.Current.CancellationToken));
        Assert.Null(result.Failure);
        Assert.Equal("lo Down", NotebookCell.Text(notebook.Cells[0].Outputs.Single()!["data"]!["text/plain"]));
    }
}
