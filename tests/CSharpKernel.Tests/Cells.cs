using System.Reflection;
using CSharpKernel.Assistance;
using CSharpKernel.Cells;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

/// <summary>Runs cells in an engine whose notebook stands in a folder of its own.</summary>
sealed class Cells : IDisposable
{
    readonly List<Output> _outputs = [];
    readonly CSharpEngine _engine;
    int _count;

    public Cells() => _engine = new CSharpEngine(Folder, o =>
    {
        lock (_outputs)
        {
            _outputs.Add(o);
        }
    }, Timeout.InfiniteTimeSpan);

    public static string Root { get; } = typeof(Cells).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public string Folder { get; } = Directory.CreateTempSubdirectory("cells-").FullName;

    public CodeAssistant Assistant => _engine.Assistant;

    /// <summary>Completes where a bar stands in the code.</summary>
    public Task<Completions> Complete(string code)
    {
        var cursor = code.IndexOf('|');
        return Assistant.Complete(code.Remove(cursor, 1), cursor, TestContext.Current.CancellationToken);
    }

    /// <summary>Inspects where a bar stands in the code.</summary>
    /// <returns>The Markdown; null if nothing is known.</returns>
    public async Task<string?> Inspect(string code, int detail = 0)
    {
        var cursor = code.IndexOf('|');
        var data = await Assistant.Inspect(code.Remove(cursor, 1), cursor, detail, TestContext.Current.CancellationToken);
        Assert.Equal(data is not null, data?["text/plain"] is not null);
        return data?["text/markdown"]!.GetValue<string>();
    }

    public string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Runs a cell, the next of "cell 1", "cell 2" …</summary>
    /// <returns>Its outputs.</returns>
    public Task<IReadOnlyList<Output>> Run(string code) => RunUntil(code, TestContext.Current.CancellationToken);

    Task<IReadOnlyList<Output>> RunUntil(string code, CancellationToken cancellation)
    {
        _outputs.Clear();
        var succeeded = _engine.Execute(code, $"cell {++_count}", cancellation);
        Assert.Equal(succeeded, !_outputs.OfType<Output.Error>().Any());
        return Task.FromResult<IReadOnlyList<Output>>([.. _outputs]);
    }

    /// <summary>Runs a cell that must succeed.</summary>
    /// <returns>Its result as plain text; null without one.</returns>
    public async Task<string?> Result(string code)
    {
        var outputs = await Run(code);
        Assert.Empty(outputs.OfType<Output.Error>().Select(e => string.Join('\n', e.Traceback)));
        return outputs.OfType<Output.Result>().SingleOrDefault()?.Data["text/plain"]!.GetValue<string>();
    }

    /// <summary>Runs a cell that must fail.</summary>
    public async Task<Output.Error> Error(string code) => Assert.IsType<Output.Error>((await Run(code))[^1]);

    /// <summary>Runs a cell that is interrupted.</summary>
    public async Task<Output.Error> Interrupted(string code, CancellationToken interrupt) =>
        Assert.IsType<Output.Error>((await RunUntil(code, interrupt))[^1]);

    public static string Text(IEnumerable<Output> outputs, string stream) =>
        string.Concat(outputs.OfType<Output.Stream>().Where(s => s.Name == stream).Select(s => s.Text));

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
