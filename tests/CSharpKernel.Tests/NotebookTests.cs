using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed class NotebookTests
{
    /// <summary>As Jupyter's nbformat writes it.</summary>
    const string Sample = """
        {
         "cells": [
          {
           "cell_type": "markdown",
           "id": "a-1",
           "metadata": {},
           "source": [
            "# Größe 🙂 \"q\" \\ <b> & \u007f'\n",
            "second\ttab"
           ]
          },
          {
           "cell_type": "code",
           "execution_count": 1,
           "id": "b_2",
           "metadata": {
            "tags": [
             "check"
            ],
            "unknown": {
             "kept": [
              1.50,
              1e-7,
              null,
              true
             ]
            }
           },
           "outputs": [
            {
             "data": {
              "application/x+json": {
               "a": []
              },
              "text/plain": [
               "x"
              ]
             },
             "execution_count": 1,
             "metadata": {},
             "output_type": "execute_result"
            }
           ],
           "source": []
          }
         ],
         "metadata": {
          "later": "field"
         },
         "nbformat": 4,
         "nbformat_minor": 5
        }

        """;

    static Notebook Parse(string text) => Notebook.Parse(Encoding.UTF8.GetBytes(text), "n.ipynb");

    [Fact]
    public void A_document_is_written_as_Jupyter_writes_it()
    {
        var sample = Sample.ReplaceLineEndings("\n").Replace("\\u007f", "\u007f");
        Assert.Equal(sample, Parse(sample).ToString());
        Assert.Equal("# Größe 🙂 \"q\" \\ <b> & \u007f'\nsecond\ttab", Parse(sample).Cells[0].Source);
        Assert.Equal(["check"], Parse(sample).Cells[1].Tags);
    }

    static readonly Gen<string> Text = Gen.OneOf(
        Gen.String,
        Gen.OneOf("", "a\nb\n", "é🙂\u2028\u0001\"\\/", "\r\n\t"))
        .Where(s => s.EnumerateRunes().All(r => r != Rune.ReplacementChar));

    static readonly Gen<JsonNode?> Json = Gen.Recursive<JsonNode?>((depth, inner) => depth > 3
        ? Text.Select(s => (JsonNode?)s)
        : Gen.OneOf(
            Text.Select(s => (JsonNode?)s),
            Gen.Double[-1e9, 1e9].Select(d => (JsonNode?)d),
            Gen.Long.Select(l => (JsonNode?)l),
            Gen.Bool.Select(b => (JsonNode?)b),
            Gen.Const((JsonNode?)null),
            inner.Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(i => i?.DeepClone())])),
            Gen.Select(Text, inner).Array[0, 3].Select(m => (JsonNode?)new JsonObject(m.DistinctBy(p => p.Item1).Select(p => KeyValuePair.Create(p.Item1, p.Item2?.DeepClone()))))));

    static readonly Gen<JsonNode?> Lines = Gen.OneOf(
        Text.Select(s => (JsonNode?)s),
        Text.Array[0, 4].Select(l => (JsonNode?)new JsonArray([.. l.Select(s => (JsonNode?)s)])));

    static readonly Gen<JsonNode?> Object = Gen.Select(Text, Json).Array[0, 3]
        .Select(m => (JsonNode?)new JsonObject(m.DistinctBy(p => p.Item1).Select(p => KeyValuePair.Create(p.Item1, p.Item2?.DeepClone()))));

    static readonly Gen<JsonNode?> OutputJson = Gen.OneOf(
        Gen.Select(Lines, Gen.OneOf("stdout", "stderr")).Select((text, name) => (JsonNode?)new JsonObject { ["output_type"] = "stream", ["name"] = name, ["text"] = text?.DeepClone() }),
        Gen.Select(Lines, Json, Object).Select((text, json, metadata) => (JsonNode?)new JsonObject
        {
            ["output_type"] = "display_data",
            ["data"] = new JsonObject { ["text/plain"] = text?.DeepClone(), ["application/json"] = json?.DeepClone() },
            ["metadata"] = metadata?.DeepClone(),
        }),
        Text.Select(s => (JsonNode?)new JsonObject { ["output_type"] = "error", ["ename"] = s, ["evalue"] = s, ["traceback"] = new JsonArray(s) }));

    static readonly Gen<JsonObject> Document = Gen.Select(
        Gen.Select(Lines, Object, OutputJson.Array[0, 3], Gen.OneOf("code", "markdown", "raw")).Array[0, 4], Object).Select((cells, metadata) => new JsonObject
        {
            ["nbformat"] = 4,
            ["metadata"] = metadata?.DeepClone(),
            ["cells"] = new JsonArray([.. cells.Select((c, i) =>
            {
                var cell = new JsonObject { ["id"] = $"cell-{i}", ["cell_type"] = c.Item4, ["source"] = c.Item1?.DeepClone(), ["metadata"] = c.Item2?.DeepClone() };
                if (c.Item4 == "code")
                {
                    cell["execution_count"] = i == 0 ? null : i;
                    cell["outputs"] = new JsonArray([.. c.Item3.Select(o => o?.DeepClone())]);
                }

                return (JsonNode?)cell;
            })]),
            ["nbformat_minor"] = 5,
        });

    [Fact]
    public void Any_document_reads_and_writes_back_equal() => Document.Sample(document =>
    {
        var notebook = Parse(document.ToJsonString());
        var written = notebook.ToString();
        Assert.True(JsonNode.DeepEquals(document, JsonNode.Parse(written)), written);
        Assert.Equal(written, Parse(written).ToString());
    }, iter: 2_000);

    [Fact]
    public void A_mutated_document_is_read_or_refused_as_documented()
    {
        var bytes = Encoding.UTF8.GetBytes(Sample);
        var pieces = new[] { "null", "[]", "{}", "\"", "\\ud83d", "5", "]", "}", ",", "\"id\": \"a-1\",", "\0", "\xff", "1e999", "-" }.Select(Encoding.Latin1.GetBytes).ToArray();
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Int[0, 40], Gen.OneOf(Gen.OneOf<byte[]>(pieces), Gen.Byte.Array[0, 6])).Array[1, 3].Sample(changes =>
        {
            var mutated = bytes.ToList();
            foreach (var (at, removed, inserted) in changes)
            {
                var start = Math.Min(at, mutated.Count);
                mutated.RemoveRange(start, Math.Min(removed, mutated.Count - start));
                mutated.InsertRange(start, inserted);
            }

            try
            {
                var notebook = Notebook.Parse(mutated.ToArray(), "n.ipynb");
                _ = notebook.Cells.Select(c => (c.Source, c.Tags, c.IsCode ? c.Outputs : null)).ToList();
                Assert.Equal(notebook.ToString(), Parse(notebook.ToString()).ToString());
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith("n.ipynb: ", e.Message);
            }
        }, iter: 50_000);
    }

    [Theory]
    [InlineData("\"nbformat\": 4", "\"nbformat\": 3", "nbformat: expected 4, found 3")]
    [InlineData("\"nbformat_minor\": 5", "\"nbformat_minor\": \"5\"", "nbformat_minor: expected 5 or more, found \"5\"")]
    [InlineData("\"id\": \"b_2\",", "", "cell 2, id: expected a string, found nothing")]
    [InlineData("b_2", "a-1", "cell 2, id: expected an id that no other cell has, found \"a-1\"")]
    [InlineData("b_2", "b 2", "cell 2, id: expected 1 to 64 letters")]
    [InlineData("\"source\": []", "\"source\": 7", "cell 2, source: expected a string or an array of strings, found 7")]
    [InlineData("execute_result", "pyout", "cell 2, output 1, output_type: expected stream, display_data, execute_result or error, found \"pyout\"")]
    [InlineData("\"markdown\"", "\"heading\"", "cell 1, cell_type: expected code, markdown or raw")]
    [InlineData("\"metadata\": {},", "", "cell 1, metadata: expected an object, found nothing")]
    [InlineData("{\n \"cells\"", "\"cells\"", "expected JSON")]
    [InlineData("\"nbformat\": 4,", "\"nbformat\": 4, \"nbformat\": 4,", "expected JSON")]
    public void A_malformed_document_is_refused_with_what_was_found_and_expected(string text, string replacement, string message)
    {
        var sample = Sample.ReplaceLineEndings("\n");
        Assert.Contains(text, sample);
        Assert.Contains("n.ipynb: " + message, Assert.Throws<InvalidDataException>(() => Parse(sample.Replace(text, replacement))).Message);
    }

    [Fact]
    public void An_older_document_is_read_with_ids_for_its_cells()
    {
        var old = Sample.Replace("\"nbformat_minor\": 5", "\"nbformat_minor\": 2").Replace("   \"id\": \"a-1\",", "").Replace("   \"id\": \"b_2\",", "");
        var read = JsonNode.Parse(Parse(old).ToString())!;
        Assert.Equal(5, read["nbformat_minor"]!.GetValue<int>());
        Assert.Equal(["cell-1", "cell-2"], read["cells"]!.AsArray().Select(c => c!["id"]!.GetValue<string>()));
    }

    [Fact]
    public void A_dib_file_is_read_as_a_notebook()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "first\n#!meta\n{\"kernelInfo\": {}}\n#!markdown\n\n# Title\n\n#!c#\n\nvar x = 1;\n\n#!time\nx\n\n#!fsharp\nlet y = 1\n#!csharp\n");
            var notebook = DibFile.Load(path);
            Assert.Equal(["first", "# Title", "var x = 1;\n\n#!time\nx", "#!fsharp\nlet y = 1"], notebook.Cells.Select(c => c.Source));
            Assert.Equal([true, false, true, true], notebook.Cells.Select(c => c.IsCode));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Outputs_are_kept_as_nbformat_wants_them()
    {
        var cell = Parse(Sample).Cells[1];
        cell.Reset(7);
        var displays = new Dictionary<string, JsonObject>();
        foreach (var output in new Output[]
        {
            new Output.Stream("stdout", "a\nb"), new Output.Stream("stdout", "c\n"), new Output.Stream("stdout", "d"), new Output.Stream("stderr", "e"), new Output.Stream("stderr", ""),
            new Output.Display(new JsonObject { ["text/plain"] = "1\n2", ["image/png"] = "QUJD\n", ["application/x+json"] = new JsonObject { ["k"] = 1 } }, "one"),
            new Output.Result(new JsonObject { ["text/plain"] = "r" }),
            new Output.Update(new JsonObject { ["text/plain"] = "new" }, "one"),
            new Output.Update(new JsonObject(), "unknown"),
        })
        {
            cell.Add(output, displays);
        }

        var expected = JsonNode.Parse("""
            [{"name": "stdout", "output_type": "stream", "text": ["a\n", "bc\n", "d"]}, {"name": "stderr", "output_type": "stream", "text": ["e"]},
             {"data": {"text/plain": ["new"]}, "metadata": {}, "output_type": "display_data"},
             {"data": {"text/plain": ["r"]}, "execution_count": 7, "metadata": {}, "output_type": "execute_result"}]
            """);
        Assert.True(JsonNode.DeepEquals(expected, cell.Outputs), cell.Outputs.ToJsonString());
        cell.Add(new Output.Clear(Wait: true), displays);
        cell.Add(new Output.Update(new JsonObject { ["text/plain"] = "newer" }, "one"), displays);
        Assert.Equal(4, cell.Outputs.Count);
        Assert.Equal("newer", NotebookCell.Text(cell.Outputs[2]!["data"]!["text/plain"]));
        cell.Add(new Output.Error("E", "m", ["t"], 1), displays);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""[{"ename": "E", "evalue": "m", "output_type": "error", "traceback": ["t"]}]"""), cell.Outputs));
    }

    [Fact]
    public void A_file_is_replaced_whole_or_not_at_all()
    {
        var folder = Directory.CreateTempSubdirectory("notebook-");
        try
        {
            var path = Path.Combine(folder.FullName, "n.ipynb");
            WholeFiles.AssertReplaced(path, () => Parse(Sample).Save(path));
            Assert.Equal(Parse(Sample).ToString(), File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFiles(folder.FullName));
            Directory.CreateDirectory(Path.Combine(folder.FullName, "taken"));
            Assert.ThrowsAny<Exception>(() => Parse(Sample).Save(Path.Combine(folder.FullName, "taken")));
            Assert.Equal([path], Directory.GetFiles(folder.FullName));
            if (OperatingSystem.IsWindows())
                return;

            // A link stays one, and who may read its file stays as it was.
            var link = Path.Combine(folder.FullName, "link.ipynb");
            File.CreateSymbolicLink(link, path);
            File.WriteAllText(path, "old");
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Parse(Sample).Save(link);
            Assert.Equal(path, new FileInfo(link).LinkTarget);
            Assert.Equal(Parse(Sample).ToString(), File.ReadAllText(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
