using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Repository.Tests;

/// <summary>Spelling, by Hunspell with its British dictionary, and Words.txt for the field's terms and names.</summary>
public sealed partial class SpellingTests
{
    static readonly HashSet<string> Words = [.. File.ReadLines(Tree.PathOf("tests/Repository.Tests/Words.txt"))];

    [Theory, MemberData(nameof(Document.All), MemberType = typeof(Document))]
    public async Task A_document_is_spelt_as_the_dictionary_has_it(string document)
    {
        var words = new Document(document).Texts.SelectMany(t => t.Descendants<LiteralInline>())
            .SelectMany(l => Word().Matches(l.Content.ToString().Replace('’', '\'')).Select(m => m.Value))
            .Where(w => !Words.Contains(w) && !Words.Contains(w.ToLowerInvariant()) && !Words.Contains(Possessive().Replace(w, "")))
            .Distinct().ToList();
        var unknown = await Unknown(words, TestContext.Current.CancellationToken);
        Assert.True(unknown.Length == 0, $"{document}: mend, or add to tests/Repository.Tests/Words.txt: {string.Join(", ", unknown)}");
    }

    [Fact]
    public void The_word_list_is_in_order()
    {
        var lines = File.ReadAllLines(Tree.PathOf("tests/Repository.Tests/Words.txt"));
        Assert.Equal(lines.Distinct().Order(StringComparer.Ordinal), lines);
    }

    static async Task<string[]> Unknown(IReadOnlyList<string> words, CancellationToken cancellation)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("hunspell", ["-d", "en_GB", "-i", "UTF-8", "-l"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = new UTF8Encoding(false),
                StandardOutputEncoding = Encoding.UTF8,
            })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("The spelling checker Hunspell is not installed.");
            throw;
        }

        using (process)
        {
            var unknown = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            foreach (var word in words)
            {
                await process.StandardInput.WriteLineAsync(word);
            }

            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellation);
            Assert.SkipWhen((await errors).Contains("Can't open"), "Hunspell's dictionary en_GB is not installed.");
            Assert.True(process.ExitCode == 0, await errors);
            return (await unknown).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
    }

    /// <summary>Words of prose: letters, apostrophes within. What holds digits, an underscore or a capital after a small letter is a name.</summary>
    [GeneratedRegex(@"(?<![\p{L}\p{N}_.@/\\-])(?![\p{L}']*\p{Ll}\p{Lu})\p{L}+(?:'\p{L}+)*(?![\p{L}\p{N}_@/\\])")]
    private static partial Regex Word();

    [GeneratedRegex("'s$")]
    private static partial Regex Possessive();
}
