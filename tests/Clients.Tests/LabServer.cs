namespace Clients.Tests;

/// <summary>JupyterLab, in the place of Jupyter Notebook.</summary>
public sealed class LabServer(Jupyter jupyter) : NotebookServer(jupyter)
{
    protected override string ProgramName => "jupyter-lab";

    protected override string? Package => null;

    protected override string[] Arguments(int port, string token, string folder) =>
    [
        "--no-browser", "--allow-root", "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1", $"--ServerApp.port={port}", $"--IdentityProvider.token={token}",
        "--MappingKernelManager.kernel_info_timeout=300", $"--ServerApp.root_dir={folder}",
    ];

    protected override string Told(int process) => $"jpserver-{process}.json";

    protected override string Address(string notebook) => $"lab/tree/{notebook}";
}
