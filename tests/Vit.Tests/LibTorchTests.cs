using System.IO.Compression;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Vit.Tests;

/// <summary>What lib/LibTorch/LibTorch.targets does for Linux older than GCC 13.</summary>
public class LibTorchTests
{
    const string Library = "libLibTorchSharp.so";

    static readonly string Copy = Path.Combine(Metadata("RepositoryRoot"), "lib", "bin", Library);
    static readonly string Package = Metadata("TorchSharpPackage");
    static readonly string Cached = Path.Combine(Package, "runtimes", "linux-x64", "native", Library);

    [Fact]
    public void TheCopyInLibBin_Loads()
    {
        OnLinuxAlone();
        var handle = NativeLibrary.Load(Copy);
        Assert.True(NativeLibrary.TryGetExport(handle, "THSTensor_ones", out _));
    }

    [Fact]
    public void TheCopyInLibBin_DiffersInTheOneFlagByte()
    {
        OnLinuxAlone();
        var (original, copy) = (File.ReadAllBytes(Cached), File.ReadAllBytes(Copy));

        Assert.Equal(original.Length, copy.Length);
        var changed = Enumerable.Range(0, copy.Length).Where(i => original[i] != copy[i]).ToArray();
        Assert.Single(changed);
        Assert.Equal(0, original[changed[0]]);
        Assert.Equal(2, copy[changed[0]]);
    }

    [Fact]
    public void ThePackageCache_IsAsItWasDownloaded()
    {
        OnLinuxAlone();
        using var package = ZipFile.OpenRead(Directory.GetFiles(Package, "*.nupkg").Single());
        using var entry = package.GetEntry($"runtimes/linux-x64/native/{Library}")!.Open();
        using var downloaded = new MemoryStream();
        entry.CopyTo(downloaded);
        Assert.True(File.ReadAllBytes(Cached).AsSpan().SequenceEqual(downloaded.ToArray()));
    }

    // It asks for SkiaSharp in torchvision.io alone; Directory.Build.targets leaves that out.
    [Fact]
    public void TorchSharp_WorksWithoutSkia()
    {
        Assert.Equal(2, TorchSharp.torch.ones(2).sum().item<float>());
        Assert.All([AppContext.BaseDirectory, Path.GetDirectoryName(Copy)!], folder =>
            Assert.DoesNotContain(Directory.GetFiles(folder).Select(Path.GetFileName), file => file!.Contains("Skia", StringComparison.Ordinal)));
    }

    static void OnLinuxAlone() =>
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux's libLibTorchSharp.so asks for a version of libstdc++.");

    static string Metadata(string key) => typeof(LibTorchTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
