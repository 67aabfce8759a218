using CSharpKernel.Cells;
using CSharpKernel.Outputs;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Tests;

public sealed class ReferenceTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    /// <summary>Compiles a library into the notebook's folder.</summary>
    string Build(string name, string code, params string[] references)
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var path = Path.Combine(_cells.Folder, name + ".dll");
        var result = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(code)],
            Directory.GetFiles(framework, "System.*.dll").Where(f => !f.Contains(".Native.")).Concat(references).Select(r => MetadataReference.CreateFromFile(r)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(path);
        Assert.Empty(result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error));
        return path;
    }

    [Fact]
    public async Task An_assembly_is_found_relative_to_the_notebook_and_its_dependencies_beside_it()
    {
        var inner = Build("Inner", "namespace Inner; public class Base { public int Value => 41; }");
        Build("Outer", "namespace Outer; public class Derived : Inner.Base;", inner);
        Assert.Equal("41", await _cells.Result("#r \"./Outer.dll\"\nusing Outer;\nnew Derived().Value"));
    }

    [Fact]
    public async Task Of_two_versions_the_newer_one_is_taken_and_none_once_an_older_one_is_loaded()
    {
        string Versioned(string folder, int version)
        {
            var code = $"[assembly: System.Reflection.AssemblyVersion(\"{version}.0.0.0\")] public static class Twice {{ public static int Version => {version}; public static int Of{version} => {version}; }}";
            Directory.CreateDirectory(Path.Combine(_cells.Folder, folder));
            File.Move(Build("Twice", code), Path.Combine(_cells.Folder, folder, "Twice.dll"));
            return $"#r \"{folder}/Twice.dll\"\n";
        }

        await _cells.Run(Versioned("one", 1) + "1");
        Assert.Equal("2 2", await _cells.Result(Versioned("two", 2) + "$\"{Twice.Version} {Twice.Of2}\""));
        Assert.Contains("version 2.0.0.0 is loaded already", (await _cells.Error(Versioned("three", 3) + "Twice.Of3")).Message);
        Assert.Equal("2", await _cells.Result("Twice.Version"));
    }

    [Fact]
    public async Task A_formatter_registered_by_a_referenced_assembly_counts()
    {
        // The library has a copy of the formatters' assembly beside it, as in lib/bin.
        var copy = Path.Combine(_cells.Folder, "Microsoft.DotNet.Interactive.Formatting.dll");
        File.Copy(typeof(Formatter).Assembly.Location, copy);
        Build("Shapes", """
            using Microsoft.DotNet.Interactive.Formatting;
            public class Circle;
            public static class Formatters
            {
                public static void Register()
                {
                    Formatter.SetPreferredMimeTypesFor(typeof(Circle), "text/html");
                    Formatter.Register<Circle>((c, w) => w.Write("<svg/>"), "text/html");
                }
            }
            """, copy, Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "netstandard.dll"));
        await _cells.Result("#r \"Shapes.dll\"\n#r \"Microsoft.DotNet.Interactive.Formatting.dll\"\nFormatters.Register();");
        var result = Assert.IsType<Output.Result>(Assert.Single(await _cells.Run("new Circle()")));
        Assert.Equal("<svg/>", result.Data["text/html"]!.GetValue<string>());
        Assert.Equal("True", await _cells.Result($"typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location == {SymbolDisplay.FormatLiteral(typeof(Formatter).Assembly.Location, true)}"));
    }

    [Fact]
    public async Task Native_libraries_are_found_beside_the_assembly() =>
        Assert.Equal("6", await _cells.Result($"#r \"{Path.Combine(Cells.Root, "lib", "bin", "TorchSharp.dll").Replace('\\', '/')}\"\nTorchSharp.torch.ones(2, 3).sum().item<float>().ToString()"));

    [Fact]
    public async Task Assemblies_of_the_framework_are_named_without_a_folder() =>
        Assert.Equal("a", await _cells.Result("#r \"System.Xml.Linq\"\nnew System.Xml.Linq.XElement(\"a\").Name.ToString()"));

    [Fact]
    public async Task A_reference_that_is_none_is_told_with_its_line()
    {
        var error = await _cells.Error("\n#r \"none.dll\"\n1");
        Assert.Equal(("ReferenceError", 2), (error.Name, error.Line));
        Assert.Contains("none.dll", error.Message);
        _cells.Write("text.dll", "text");
        Assert.Contains("text.dll\": the file is not a .NET assembly", (await _cells.Error("#r \"text.dll\"")).Message);
        Assert.Equal("#r \"none.dll\"", await _cells.Result("\"\"\"\n#r \"none.dll\"\n\"\"\""));
    }

    [Fact]
    public async Task A_package_is_restored_with_its_native_files_from_any_line()
    {
        var outputs = await _cells.Run("""
            var before = 1;
            #r "nuget: SQLitePCLRaw.bundle_e_sqlite3, 3.0.5"
            SQLitePCL.Batteries_V2.Init();
            SQLitePCL.raw.sqlite3_libversion().utf8_to_string()
            """);
        SkipOffline(outputs);
        Assert.Matches(@"^3\.\d+\.\d+$", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());

        // A second package, in a later cell, beside the first.
        SkipOffline(outputs = await _cells.Run("#r \"nuget:Humanizer.Core, 3.0.10\"\nusing Humanizer;\n3.ToWords()"));
        Assert.Equal("three", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());

        var error = await _cells.Error("#r \"nuget: Humanizer.Core, 2.14.1\"");
        Assert.Contains("version 3.0.10 is loaded already", error.Message);
        Assert.Equal("1", await _cells.Result("#r \"nuget: Humanizer.Core, 3.*\"\n1"));
    }

    [Theory]
    [InlineData("2.14.1", "", true)]
    [InlineData("2.14.1", "2.14.1", true)]
    [InlineData("2.14.1", "2.13.0", false)]
    [InlineData("2.14.1", "2.*", true)]
    [InlineData("2.14.1", "2.1.*", false)]
    [InlineData("2.14.1-beta.1", "2.*-*", true)]
    [InlineData("2.14.1", "[2.0, 3.0)", true)]
    [InlineData("2.14.1", "[2.0,2.14.1)", false)]
    [InlineData("2.14.1", "(2.14.1,)", false)]
    [InlineData("2.14.1", "(,2.14.1]", true)]
    [InlineData("2.14.1", "[2.14.1]", true)]
    [InlineData("2.14.1", "[2.14]", false)]
    [InlineData("2.14.0", "2.14", true)]
    [InlineData("2.14.1", "2.14", false)]
    [InlineData("2.14.0-beta", "2.14", false)]
    public void A_loaded_version_satisfies_what_asks_for_no_other(string version, string wanted, bool satisfied) =>
        Assert.Equal(satisfied, PackageRestore.Satisfies(version, wanted));

    [Fact]
    public async Task A_source_is_added_and_is_one_or_told()
    {
        // A package of a folder, without any other source.
        File.WriteAllText(Path.Combine(_cells.Folder, "NuGet.Config"), "<configuration><packageSources><clear /></packageSources></configuration>");
        var library = Build("Carried", "public static class Carried { public static string Word => \"carried\"; }");
        var feed = Directory.CreateDirectory(Path.Combine(_cells.Folder, "feed")).FullName;
        var id = "Cells.Test." + Path.GetRandomFileName().Replace(".", "");
        using (var package = System.IO.Compression.ZipFile.Open(Path.Combine(feed, $"{id}.1.2.3.nupkg"), System.IO.Compression.ZipArchiveMode.Create))
        {
            using (var specification = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open()))
            {
                specification.Write($"<package><metadata><id>{id}</id><version>1.2.3</version><authors>a</authors><description>d</description></metadata></package>");
            }

            System.IO.Compression.ZipFileExtensions.CreateEntryFromFile(package, library, "lib/net10.0/Carried.dll");
            using var script = new StreamWriter(package.CreateEntry("interactive-extensions/dotnet/extension.dib").Open());
            script.Write("#!csharp\n\nvar ofTheScript = Carried.Word + \" first\";\nConsole.WriteLine(\"loaded\");\n");
        }

        File.Delete(library);
        try
        {
            var outputs = await _cells.Run($"#r \"nuget: {id}, 1.*\"\n#i \"nuget: feed\"\nCarried.Word + ofTheScript");
            Assert.Equal("loaded\n", Assert.IsType<Output.Stream>(outputs[0]).Text);
            Assert.Equal("carriedcarried first", Assert.IsType<Output.Result>(outputs[1]).Data["text/plain"]!.GetValue<string>());
            // It comes once.
            Assert.Equal("carried", await _cells.Result($"#r \"nuget: {id}, 1.*\"\nCarried.Word"));
            Assert.Contains("version 1.2.3 is loaded already", (await _cells.Error($"#r \"nuget: {id}, 2.0.0\"")).Message);

            // A damaged cache, and a package that is gone, are restored anew.
            PackageRestore Restore() => PackageRestore.Of([(id, "1.*")], [feed], _cells.Folder, TestContext.Current.CancellationToken);
            var carried = Assert.Single(Restore().Runtime);
            var restored = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "CSharpKernel", "packages");
            var assets = Assert.Single(Directory.EnumerateFiles(restored, "project.assets.json", SearchOption.AllDirectories), f => File.ReadAllText(f).Contains(id));
            foreach (var damaged in new[] { File.ReadAllText(assets)[..^200], "{}", "[]", "null" })
            {
                File.WriteAllText(assets, damaged);
                Assert.Equal(carried, Assert.Single(Restore().Runtime));
            }

            if (!OperatingSystem.IsWindows())
            {
                Directory.Delete(Path.GetFullPath(Path.Combine(carried, "..", "..", "..")), recursive: true);
                Assert.True(File.Exists(Assert.Single(Restore().Runtime)));
            }
        }
        finally
        {
            var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            if (Directory.Exists(Path.Combine(cache, id.ToLowerInvariant())) && !OperatingSystem.IsWindows())
            {
                Directory.Delete(Path.Combine(cache, id.ToLowerInvariant()), recursive: true);
            }
        }

        var error = await _cells.Error("\n#i \"https://example.org\"");
        Assert.Equal(("PackageError", 2), (error.Name, error.Line));
        Assert.Contains("#i takes a package source", error.Message);
    }

    [Fact]
    public async Task A_package_that_cannot_be_had_is_named_with_the_reason()
    {
        var outputs = await _cells.Run("1.ToString();\n#r \"nuget: Humanizer.Core, 99.0.0\"");
        SkipOffline(outputs);
        var error = Assert.IsType<Output.Error>(outputs[^1]);
        Assert.Equal(("PackageError", 2), (error.Name, error.Line));
        Assert.Contains("Humanizer.Core", error.Message);
        Assert.Contains("NU110", error.Message);
        Assert.DoesNotContain(Path.GetTempPath(), error.Message);
    }

    static void SkipOffline(IReadOnlyList<Output> outputs)
    {
        if (outputs is [.., Output.Error { Name: "PackageError" } error] && error.Message.Contains("NU1301"))
        {
            Assert.Skip("The package source cannot be reached: " + error.Message);
        }
    }

    [Fact]
    public void A_cell_is_given_only_the_references_that_are_new()
    {
        var folder = _cells.Folder;
        var context = new NotebookLoadContext();
        var references = new References(context, folder);
        var submissions = new Submissions(context, references);
        void Compile(string code) => submissions.Compile(references.Follow(code, "cell", out _, TestContext.Current.CancellationToken), "cell", _ => { }, out _, TestContext.Current.CancellationToken);
        Compile("var a = 1;");
        Assert.NotEmpty(submissions.Latest!.ExternalReferences);
        Compile("var b = a.ToString();");
        Assert.Empty(submissions.Latest.ExternalReferences);
        Compile($"#r \"{Path.Combine(Cells.Root, "lib", "bin", "SixLabors.ImageSharp.dll")}\"\nvar c = new SixLabors.ImageSharp.Size(1, 1);");
        Assert.Equal("SixLabors.ImageSharp.dll", Path.GetFileName(Assert.Single(submissions.Latest.ExternalReferences).Display));
    }
}
