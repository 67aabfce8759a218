using System.IO.Compression;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using CSharpKernel;

namespace Repository.Tests;

/// <summary>The packages of the library: what is in them, and a program outside the clone that uses them.</summary>
public sealed class PackTests : IDisposable
{
    // The model, a picture, and what it shows: the one place to change for another.
    static readonly string Model = Tree.PathOf("data/checkpoints/fashion-mnist-vit");
    static readonly string Image = Tree.PathOf("tests/Repository.Tests/ankle-boot.png");
    const string Answer = "Ankle boot";

    static readonly string Configuration = typeof(PackTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pack-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("Vit", new[] { "TorchSharp", "Google.Protobuf" }, new[] { "libtorch", "Plotly", "Microsoft.DotNet.Interactive" })]
    [InlineData("Vit.Interactive", new[] { "Vit", "Plotly.NET.CSharp", "Microsoft.DotNet.Interactive.Formatting" }, new[] { "libtorch" })]
    public void A_package_has_a_licence_a_readme_and_symbols_and_asks_for_what_it_needs(string name, string[] needed, string[] foreign)
    {
        Pack(name);

        using var package = Open("nupkg");
        Assert.Contains("README.md", package.Entries.Select(e => e.FullName));
        Assert.Contains($"lib/net10.0/{name}.xml", package.Entries.Select(e => e.FullName));
        Assert.Equal(name == "Vit.Interactive", package.GetEntry("interactive-extensions/dotnet/extension.dib") is not null);
        using var symbols = Open("snupkg");
        Assert.Contains($"lib/net10.0/{name}.pdb", symbols.Entries.Select(e => e.FullName));
        using var stream = package.GetEntry($"{name}.nuspec")!.Open();
        var description = XDocument.Load(stream);
        Assert.Equal("MIT", description.Descendants().Single(e => e.Name.LocalName == "license").Value);
        var asked = description.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).ToList();
        Assert.Subset(asked.ToHashSet(), needed.ToHashSet());
        Assert.DoesNotContain(asked, a => foreign.Any(f => a.StartsWith(f, StringComparison.OrdinalIgnoreCase)));

        ZipArchive Open(string kind) => ZipFile.OpenRead(_folder.GetFiles($"{name}.*.{kind}").Single().FullName);
    }

    [Fact]
    public void A_program_outside_the_clone_names_what_a_picture_shows()
    {
        Pack("Vit");
        var code = new Document("lib/Vit/README.md").CodeBlocks.Single(b => b.Language == "csharp").Code;
        Assert.InRange(code.Split('\n').Length, 1, 10);
        _folder.CreateSubdirectory("classify");
        Write("classify/Program.cs", code);
        Write("classify/classify.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Vit" Version="1.0.0" />
                <PackageReference Include="libtorch-cpu-{RuntimeInformation.RuntimeIdentifier}" Version="2.10.0" />
              </ItemGroup>
            </Project>
            """);
        // What was packed is unpacked here and not into the user's folder; all else is taken from there.
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Write("nuget.config", $"""
            <configuration>
              <config>
                <add key="globalPackagesFolder" value="packages" />
              </config>
              <fallbackPackageFolders>
                <add key="user" value="{packages}" />
              </fallbackPackageFolders>
              <packageSources>
                <add key="packed" value="." />
              </packageSources>
            </configuration>
            """);

        var output = Run("run", "--project", "classify", "--", Model, Image);

        Assert.StartsWith($"{Answer}: ", output.Split('\n')[0]);
    }

    void Pack(string name) => Run("pack", Tree.PathOf($"lib/{name}/{name}.csproj"), "-c", Configuration, "--no-build", "-o", _folder.FullName, "-tl:off");

    string Run(params string[] arguments)
    {
        var (code, output) = DotNet.Run(_folder.FullName, TestContext.Current.CancellationToken, arguments);
        Assert.True(code == 0, output);
        return output;
    }

    void Write(string name, string content) => File.WriteAllText(Path.Combine(_folder.FullName, name), content);
}
