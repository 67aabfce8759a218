using System.Text;
using CSharpKernel.Documents;

namespace Notebooks;

/// <summary>The settings that editors made from VS Code's sources keep for their user on this machine.</summary>
/// <param name="variable">Reads an environment variable.</param>
sealed class VsCode(Func<string, string?> variable)
{
    static readonly string[] Editors = ["Code", "Code - Insiders", "VSCodium", "VSCodium - Insiders", "Code - OSS"];

    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The settings files of the editors that have run here; a file itself may lack.</summary>
    public IReadOnlyList<string> SettingsFiles() =>
        [.. Folders().Select(f => Path.Combine(f, "User")).Where(Directory.Exists).Select(f => Path.Combine(f, "settings.json"))];

    /// <summary>Tells the setting with which VS Code completes C# in notebooks, or adds it.</summary>
    /// <param name="add">Whether to add it to the settings files that there are.</param>
    /// <returns>The program's exit code.</returns>
    public int SetUpCompletion(bool add)
    {
        if (!add)
        {
            Console.WriteLine("VS Code completes C# in notebooks once its user's settings (\"Preferences: Open User Settings (JSON)\", or `install --vscode`) have this line:");
            Console.WriteLine($"    {CompletionSetting.Text},");
            return 0;
        }

        var files = SettingsFiles();
        var code = files.Count == 0 ? 1 : 0;
        foreach (var file in files)
        {
            try
            {
                Console.WriteLine(AddCompletionSetting(file)
                    ? $"Added {CompletionSetting.Name} to {file}: reload the window of VS Code."
                    : $"{file} has {CompletionSetting.Name} for C# already.");
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"Nothing is changed: {e.Message}");
                code = 1;
            }
        }

        if (code != 0)
        {
            Console.Error.WriteLine("The settings are on the machine where VS Code's window is, which a container, a Codespace or a remote machine is not. "
                + "There, \"Preferences: Open User Settings (JSON)\" takes this line:");
            Console.Error.WriteLine($"    {CompletionSetting.Text},");
        }

        return code;
    }

    /// <summary>Adds the setting for completion to a settings file; the file is written whole or not at all.</summary>
    /// <param name="file">The file, or a link to it.</param>
    /// <returns>False where it was there already.</returns>
    /// <exception cref="InvalidDataException">The file holds no settings; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file is not to be read or written.</exception>
    public static bool AddCompletionSetting(string file)
    {
        // Settings are often a link into a repository of their owner.
        var target = WholeFile.Target(file);
        if (target is { Exists: true, IsReadOnly: true })
        {
            throw new UnauthorizedAccessException($"'{file}' is read-only.");
        }

        var bytes = target.Exists ? File.ReadAllBytes(target.FullName) : [];
        var preamble = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        string? settings;
        try
        {
            settings = CompletionSetting.AddTo(Strict.GetString(bytes.AsSpan(preamble)));
        }
        catch (Exception e) when (e is InvalidDataException or DecoderFallbackException)
        {
            throw new InvalidDataException($"'{file}': {e.Message}");
        }

        if (settings is null)
        {
            return false;
        }

        WholeFile.Write(target.FullName, [.. bytes.AsSpan(0, preamble), .. Strict.GetBytes(settings)]);
        return true;
    }

    /// <summary>Where the editors keep what is their user's.</summary>
    IEnumerable<string> Folders()
    {
        if (OperatingSystem.IsWindows())
        {
            return Below(variable("APPDATA"));
        }

        if (variable("HOME") is not { Length: > 0 } home)
        {
            return [];
        }

        if (OperatingSystem.IsMacOS())
        {
            return Below(Path.Combine(home, "Library", "Application Support"));
        }

        // code-server serves its windows to a browser, and so keeps its user's settings itself.
        var data = variable("XDG_DATA_HOME") is { Length: > 0 } other ? other : Path.Combine(home, ".local", "share");
        return Below(variable("XDG_CONFIG_HOME") is { Length: > 0 } configuration ? configuration : Path.Combine(home, ".config"))
            .Append(Path.Combine(data, "code-server"));

        static IEnumerable<string> Below(string? folder) => folder is { Length: > 0 } ? Editors.Select(e => Path.Combine(folder, e)) : [];
    }
}
