using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Vit.Tests;

/// <summary>Which libtorch a build takes; CUDA's is not downloaded for it.</summary>
public class CudaBuildTests
{
    [Theory]
    [InlineData("linux-x64", true, "libtorch-cuda-12.8-linux-x64")]
    [InlineData("win-x64", true, "libtorch-cuda-12.8-win-x64")]
    [InlineData("linux-x64", false, "libtorch-cpu-linux-x64")]
    [InlineData("osx-arm64", false, "libtorch-cpu-osx-arm64")]
    public void One_property_chooses_the_package(string platform, bool cuda, string package)
    {
        var root = typeof(CudaBuildTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!;
        var start = new ProcessStartInfo("dotnet", ["msbuild", Path.Combine(root, "lib", "Vit", "Vit.csproj"), "-nologo", $"-p:Cuda={(cuda ? "true" : "false")}", $"-p:RuntimeIdentifier={platform}", "-getItem:PackageReference,PackageVersion"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        using var json = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        var items = json.RootElement.GetProperty("Items");
        Assert.Equal([package], Names("PackageReference").Where(name => name.StartsWith("libtorch", StringComparison.Ordinal)));
        var versions = items.GetProperty("PackageVersion").EnumerateArray().ToDictionary(item => item.GetProperty("Identity").GetString()!, item => item.GetProperty("Version").GetString());
        Assert.Equal(versions["libtorch-cpu-linux-x64"], versions[package]);

        IEnumerable<string> Names(string kind) => items.GetProperty(kind).EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!);
    }
}
