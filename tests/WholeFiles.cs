namespace Tests;

/// <summary>Asserts that files are written whole or not at all.</summary>
static class WholeFiles
{
    /// <summary>Writes an old file, saves a new one over it, and asserts that whoever has the old one open still reads that, to its end.</summary>
    /// <param name="path">The file; its folder is there.</param>
    /// <param name="save">Saves it.</param>
    public static void AssertReplaced(string path, Action save)
    {
        byte[] old = [1, 2, 3];
        File.WriteAllBytes(path, old);
        // Windows may refuse to replace a file that is open.
        using var open = OperatingSystem.IsWindows() ? null : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        save();
        Assert.NotEqual(old, File.ReadAllBytes(path));
        if (open is null)
            return;
        var read = new byte[old.Length + 1];
        Assert.Equal(old.Length, open.ReadAtLeast(read, read.Length, throwOnEndOfStream: false));
        Assert.Equal(old, read[..old.Length]);
    }
}
