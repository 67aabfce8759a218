namespace Vit.Interactive;

/// <summary>Finds the repository's <c>data</c> folder from wherever a notebook or a test runs inside it.</summary>
public static class DataFolder
{
    const string Marker = "vit-notebooks.sln";

    /// <summary>A file or folder under <c>data</c>, as in <c>DataFolder.PathTo("photos", "cat.png")</c>.</summary>
    /// <exception cref="DirectoryNotFoundException">Neither the working directory nor this assembly lies in the repository.</exception>
    public static string PathTo(params string[] parts) =>
        Path.Combine([Find(Environment.CurrentDirectory, AppContext.BaseDirectory, Path.GetDirectoryName(typeof(DataFolder).Assembly.Location)), .. parts]);

    internal static string Find(params string?[] starts)
    {
        foreach (var start in starts.Where(start => !string.IsNullOrEmpty(start)))
            for (var folder = new DirectoryInfo(start!); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, Marker)))
                    return Path.Combine(folder.FullName, "data");
        throw new DirectoryNotFoundException(
            $"The data folder lies beside {Marker}; found no {Marker} in or above {string.Join(", ", starts.Distinct())}.");
    }
}
