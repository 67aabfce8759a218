using System.CommandLine;
using CSharpKernel.Documents;
using CSharpKernel.Headless;
using CSharpKernel.Jupyter;

namespace CSharpKernel;

/// <summary>What the tool <c>csharp-kernel</c> does by hand.</summary>
static class CommandLine
{
    /// <returns>The exit code.</returns>
    public static Task<int> Run(string[] arguments)
    {
        var prefix = new Option<string?>("--prefix") { Description = "Below which share/jupyter/kernels stands (default: the current user's folder)", HelpName = "FOLDER" };
        var name = new Option<string?>("--name") { Description = $"The kernelspec's name (default: {KernelSpecs.PreferredName})", HelpName = "NAME" };
        var install = new Command("install", "Installs this kernel for Jupyter's front ends.") { prefix, name };
        install.SetAction((parsed, _) => KernelInstaller.Install(parsed.GetValue(prefix), parsed.GetValue(name), KernelInstaller.CopyOwn));
        var uninstall = new Command("uninstall", "Removes what install has put there; kernels of other programs stay.") { prefix, name };
        uninstall.SetAction(parsed => KernelInstaller.Uninstall(parsed.GetValue(prefix), parsed.GetValue(name)));

        var notebook = new Argument<string>("NOTEBOOK") { Description = "An .ipynb file" };
        var output = new Option<string?>("--output") { Description = "The file that the notebook is written to with its outputs (default: itself)", HelpName = "FILE" };
        var run = new Command("run", "Runs a notebook top to bottom in a fresh process and keeps its outputs.") { notebook, output };
        run.SetAction((parsed, cancellation) => Told(() => Run(parsed.GetValue(notebook)!, parsed.GetValue(output), cancellation)));

        var dib = new Argument<string>("DIB") { Description = "A .dib file of Polyglot Notebooks" };
        var target = new Argument<string>("IPYNB") { Description = "The .ipynb file to write" };
        var convert = new Command("convert", "Writes a .dib file as a Jupyter notebook.") { dib, target };
        convert.SetAction((parsed, _) => Told(() =>
        {
            DibFile.Load(parsed.GetValue(dib)!).Save(parsed.GetValue(target)!);
            return Task.FromResult(0);
        }));
        return new RootCommand("A C# kernel for Jupyter.") { install, uninstall, run, convert }.Parse(arguments).InvokeAsync();
    }

    static async Task<int> Run(string path, string? output, CancellationToken cancellation)
    {
        var notebook = Notebook.Load(path);
        // Before it runs: what it gives is to have a place.
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output ?? path))!);
        var result = await NotebookRunner.Run(notebook, Path.GetDirectoryName(Path.GetFullPath(path))!, cancellation: cancellation);
        notebook.Save(output ?? path);
        if (result.Failure is not { } failure)
        {
            Console.WriteLine($"{result.Cells} cells in {result.Duration.TotalSeconds:F1} s.");
            return 0;
        }

        foreach (var line in failure.Lines)
        {
            Console.Error.WriteLine(line);
        }

        return 1;
    }

    /// <summary>Tells what went wrong in a line, and as the exit code.</summary>
    internal static async Task<int> Told(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or NetMQ.NetMQException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }
}
