using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Notebooks.Tests;

public sealed class CompletionSettingTests : IDisposable
{
    static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    readonly string _folder = Directory.CreateTempSubdirectory("settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("", "{\n    SETTING\n}\n")]
    [InlineData(" \n\n", "{\n    SETTING\n}\n")]
    [InlineData("// mine\n", "// mine\n{\n    SETTING\n}\n")]
    [InlineData("{}", "{\n    SETTING\n}")]
    [InlineData("{ }\n", "{\n    SETTING\n}\n")]
    [InlineData("{\n  // none yet }\n}\n", "{\n  // none yet }\n    SETTING\n}\n")]
    [InlineData("{\"a\": 1}", "{\"a\": 1,\n    SETTING\n}")]
    [InlineData("{\n  \"a\": 1\n}\n", "{\n  \"a\": 1,\n  SETTING\n}\n")]
    [InlineData("{\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1,\n\tSETTING\n}\n")]
    [InlineData("{\r\n  \"a\": 1\r\n}\r\n", "{\r\n  \"a\": 1,\r\n  SETTING\r\n}\r\n")]
    [InlineData("{\n  \"a\": 1,\n}\n", "{\n  \"a\": 1,\n  SETTING,\n}\n")]
    [InlineData("{\n  \"a\": 1, // of a, b\n  /* , */\n}\n", "{\n  \"a\": 1, // of a, b\n  /* , */\n  SETTING,\n}\n")]
    [InlineData("{\n  \"a\": 1 // of a, b\n}\n", "{\n  \"a\": 1, // of a, b\n  SETTING\n}\n")]
    [InlineData("{\n  \"a\": 1 /*/ of a */ // b", null)]
    [InlineData("{\n  \"a\": \"} // é \ud83d\ude00\" /*/ , */ }", "{\n  \"a\": \"} // é \ud83d\ude00\", /*/ , */\n  SETTING\n}")]
    [InlineData("// a\n{\n  \"a\": {\"b\": [1, {},],},\n} // z\n", "// a\n{\n  \"a\": {\"b\": [1, {},],},\n  SETTING,\n} // z\n")]
    [InlineData("{\n  \"NAME\": {}\n}", "{\n  \"NAME\": {\n      ENTRY\n  }\n}")]
    [InlineData("{\n  \"a\": 1, \"NAME\": {\n    \"python\": [\".\"], // mine\n  }, \"b\": 2\n}", "{\n  \"a\": 1, \"NAME\": {\n    \"python\": [\".\"], // mine\n    ENTRY,\n  }, \"b\": 2\n}")]
    [InlineData("{\"NAME\": {\"csharp\": []}, \"NAME\": {\"r\": []}}", "{\"NAME\": {\"csharp\": []}, \"NAME\": {\"r\": [],\n    ENTRY\n}}")]
    [InlineData("// mine\r{\"a\": 1}", "// mine\r{\"a\": 1,\n    SETTING\n}")]
    [InlineData("// mine\r// as well", "// mine\r// as well\n{\n    SETTING\n}\n")]
    [InlineData("{\"a\": {\"NAME\": {\"csharp\": []}}}", "{\"a\": {\"NAME\": {\"csharp\": []}},\n    SETTING\n}")]
    public void It_is_added_and_everything_else_stays(string before, string? expected)
    {
        before = before.Replace("NAME", CompletionSetting.Name);
        if (expected is null)
        {
            Assert.Throws<InvalidDataException>(() => CompletionSetting.AddTo(before));
            return;
        }

        var entry = CompletionSetting.Text.Split("{ ")[1].Split(" }")[0];
        var after = CompletionSetting.AddTo(before)!;
        Assert.Equal(expected.Replace("SETTING", CompletionSetting.Text).Replace("ENTRY", entry).Replace("NAME", CompletionSetting.Name), after);
        Assert.Null(CompletionSetting.AddTo(after));
        using var settings = JsonDocument.Parse(after, Lenient);
        Assert.Equal([".", "(", "#", "\"", "/", " "], settings.RootElement.GetProperty(CompletionSetting.Name).GetProperty("csharp").EnumerateArray().Select(c => c.GetString()));
    }

    /// <summary>White space and comments, as they may stand between any two tokens.</summary>
    static readonly Gen<string> Trivia = Gen.OneOf<string>("", "", " ", "\n", "\r\n", "\r", "\t", "/* a, \" } */", "/**/", "// b { , \"\n", "// c\r", "//\r\n").Array[0, 3].Select(parts => string.Concat(parts));

    /// <summary>Behind a name .NET's reader takes no comment; such a file is left as it is, and told.</summary>
    static readonly Gen<string> Space = Gen.OneOf<string>("", " ", "\t\r\n");

    static readonly Gen<string> Values = Gen.Recursive<string>((depth, value) => depth > 3
        ? Gen.OneOf<string>("1", "null", "\"// }\"")
        : Gen.OneOf<string>(
            Gen.OneOf<string>("-1.5e3", "true", "null", "\"\"", "\"é \\\" }\"", "\"/* \\\\\""),
            Members(value, '[', ']', Trivia),
            Members(Gen.Select(Space, value, (t, v) => $"\"a\"{t}:{v}"), '{', '}', Trivia)));

    static Gen<string> Members(Gen<string> member, char open, char close, Gen<string> trivia) =>
        Gen.Select(Gen.Select(trivia, member, trivia, (a, m, b) => a + m + b).Array[0, 3], Gen.Bool, trivia,
            (members, trailing, t) => open + string.Join(',', members) + (trailing && members.Length > 0 ? "," : "") + t + close);

    /// <summary>Whatever settings look like, they mean the same afterwards, and the setting is there.</summary>
    [Fact]
    public void Whatever_the_settings_are_they_mean_the_same_and_one_more() =>
        Gen.Select(Trivia, Members(Gen.Select(Gen.OneOf<string>("a", "b", CompletionSetting.Name + "s", "é"), Space, Values, Trivia, (name, t, value, u) => $"\"{name}\"{t}:{u}{value}"), '{', '}', Trivia), Trivia,
            (before, settings, after) => before + settings + after).Sample(settings =>
        {
            var changed = CompletionSetting.AddTo(settings)!;
            Assert.Null(CompletionSetting.AddTo(changed));
            using var old = JsonDocument.Parse(settings, Lenient);
            using var @new = JsonDocument.Parse(changed, Lenient);
            var members = @new.RootElement.EnumerateObject().ToList();
            Assert.Equal(CompletionSetting.Name, members[^1].Name);
            Assert.Equal(old.RootElement.EnumerateObject().Select(m => (m.Name, m.Value.GetRawText())), members[..^1].Select(m => (m.Name, m.Value.GetRawText())));
        }, iter: 2_000);

    [Theory]
    [InlineData("{\"NAME\": {\"csharp\": [\".\"]}}")]
    [InlineData("{\n  // mine\n  \"\\u006aupyter.completionTriggerCharacters\": {\"python\": [], \"csharp\": null,},\n}")]
    public void What_the_user_has_chosen_stays(string settings) => Assert.Null(CompletionSetting.AddTo(settings.Replace("NAME", CompletionSetting.Name)));

    [Theory]
    [InlineData("[]", "expected an object, found StartArray")]
    [InlineData("null", "expected an object, found Null")]
    [InlineData("{\"a\": 1", "expected JSON with comments")]
    [InlineData("{\"a\" 1}", "expected JSON with comments")]
    [InlineData("{\"a\": 1} {}", "expected JSON with comments")]
    [InlineData("{} /* no end", "expected JSON with comments")]
    [InlineData("{\"NAME\": true}", "expected an object as 'jupyter.completionTriggerCharacters', found True")]
    public void What_is_no_settings_is_refused_and_stays(string settings, string told)
    {
        settings = settings.Replace("NAME", CompletionSetting.Name);
        var file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, settings);
        var error = Assert.Throws<InvalidDataException>(() => VsCode.AddCompletionSetting(file));
        Assert.StartsWith($"'{file}': {told}", error.Message);
        Assert.Equal(settings, File.ReadAllText(file));
        Assert.Single(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_file_is_made_where_it_lacks_and_left_where_it_has_the_setting()
    {
        var file = Path.Combine(_folder, "settings.json");
        Assert.True(VsCode.AddCompletionSetting(file));
        var made = File.ReadAllText(file);
        Assert.Equal(JsonNode.Parse($"{{{CompletionSetting.Text}}}")!.ToJsonString(), JsonNode.Parse(made)!.ToJsonString());
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch);
        Assert.False(VsCode.AddCompletionSetting(file));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(file));
        Assert.Single(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused_and_a_byte_order_mark_stays()
    {
        var file = Path.Combine(_folder, "settings.json");
        byte[] bytes = [.. "{\"a\": \""u8, 0xE9, .. "\"}"u8];
        File.WriteAllBytes(file, bytes);
        Assert.Contains(file, Assert.Throws<InvalidDataException>(() => VsCode.AddCompletionSetting(file)).Message);
        Assert.Equal(bytes, File.ReadAllBytes(file));

        File.WriteAllBytes(file, [.. Encoding.UTF8.Preamble, .. "{}"u8]);
        Assert.True(VsCode.AddCompletionSetting(file));
        Assert.Equal([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(CompletionSetting.AddTo("{}")!)], File.ReadAllBytes(file));
    }

    [Fact]
    public void A_read_only_file_and_a_folder_of_its_name_are_refused()
    {
        var file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, "{}");
        File.SetAttributes(file, FileAttributes.ReadOnly);
        Assert.Contains(file, Assert.Throws<UnauthorizedAccessException>(() => VsCode.AddCompletionSetting(file)).Message);
        Assert.Equal("{}", File.ReadAllText(file));
        File.SetAttributes(file, FileAttributes.Normal);
        File.Delete(file);

        Directory.CreateDirectory(file);
        var error = Record.Exception(() => VsCode.AddCompletionSetting(file));
        Assert.True(error is IOException or UnauthorizedAccessException, error?.ToString());
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_link_stays_one_and_its_file_keeps_its_rights()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows asks for a right to make links, and has other rights on files.");
            return;
        }

        var (link, file) = (Path.Combine(_folder, "settings.json"), Path.Combine(_folder, "mine.json"));
        File.WriteAllText(file, "{}");
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.SetUnixFileMode(file, mode);
        File.CreateSymbolicLink(link, file);
        Assert.True(VsCode.AddCompletionSetting(link));
        Assert.Equal(file, new FileInfo(link).LinkTarget);
        Assert.Contains(CompletionSetting.Name, File.ReadAllText(file));
        Assert.Equal(mode, File.GetUnixFileMode(file));
    }

    [Fact]
    public void Editors_that_have_run_here_are_found()
    {
        string[] user = OperatingSystem.IsWindows() ? [] : OperatingSystem.IsMacOS() ? ["Library", "Application Support"] : [".config"];
        var configuration = Path.Combine([_folder, .. user]);
        var variables = new Dictionary<string, string> { ["HOME"] = _folder, ["APPDATA"] = _folder };
        var editors = new VsCode(variables.GetValueOrDefault);
        Assert.Empty(editors.SettingsFiles());

        var expected = new[] { "Code", "Code - Insiders", "VSCodium" }.Select(e => Path.Combine(configuration, e, "User", "settings.json")).ToList();
        if (OperatingSystem.IsLinux())
        {
            expected.Add(Path.Combine(_folder, ".local", "share", "code-server", "User", "settings.json"));
        }

        expected.ForEach(f => Directory.CreateDirectory(Path.GetDirectoryName(f)!));
        Assert.Equal(expected, editors.SettingsFiles());
        Assert.Empty(new VsCode(_ => null).SettingsFiles());
    }
}
