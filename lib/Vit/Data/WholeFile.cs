namespace Vit.Data;

/// <summary>Writes files whole or not at all.</summary>
static class WholeFile
{
    /// <summary>
    /// Writes beside <paramref name="path"/>, flushes to the disk, then moves the file there; when
    /// <paramref name="write"/> throws, what stood at the path still stands and nothing else is left.
    /// </summary>
    public static void Write(string path, Action<FileStream> write)
    {
        var target = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(target) ?? throw new ArgumentException($"'{path}' names a folder, not a file.", nameof(path));
        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
