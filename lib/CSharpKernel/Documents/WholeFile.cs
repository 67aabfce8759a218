using System.Text;

namespace CSharpKernel.Documents;

/// <summary>Files that are replaced whole or not at all.</summary>
static class WholeFile
{
    /// <summary>Writes a text in UTF-8, without a preamble.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not to be written.</exception>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes beside the file and moves that into its place. Where the path is a link, what it leads to is replaced; who may read and write a file stays as it was.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not to be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var target = Target(path);
        var temporary = Path.Combine(target.DirectoryName!, $".{target.Name}.{Environment.ProcessId}");
        try
        {
            File.WriteAllBytes(temporary, content);
            if (target.Exists && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(temporary, target.UnixFileMode);
            }

            File.Move(temporary, target.FullName, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The file itself, where the path is a link to it.</summary>
    public static FileInfo Target(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : (FileInfo)file.ResolveLinkTarget(returnFinalTarget: true)!;
    }
}
