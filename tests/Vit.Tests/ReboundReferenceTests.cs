using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Vit.Tests;

/// <summary>What lib/LibTorch/References.targets does, so that charts are drawn in .NET Interactive and no cell warns.</summary>
public class ReboundReferenceTests
{
    static readonly string Folder = Path.Combine(
        typeof(ReboundReferenceTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!, "lib", "bin");

    [Fact]
    public void WhatInteractiveLoadsFirst_IsNotAskedForInANewerVersion()
    {
        var asked = Asked("FSharp.Core");
        Assert.Superset(new HashSet<string> { "DynamicObj.dll", "Plotly.NET.dll", "Plotly.NET.CSharp.dll" }, asked.Select(a => a.Name).ToHashSet());
        Assert.All(asked, a => Assert.True(a.Version <= new Version(10, 0, 0, 0), $"{a.Name} asks for FSharp.Core {a.Version}"));
    }

    [Fact]
    public void TorchSharp_AsksForTheFrameworksOwnNumbers() =>
        Assert.Equal(new Version(10, 0, 0, 0), Asked("System.Runtime.Numerics").Single(a => a.Name == "TorchSharp.dll").Version);

    static List<(string Name, Version Version)> Asked(string reference) =>
        [.. Directory.GetFiles(Folder, "*.dll").Select(file => (Path.GetFileName(file), AskedBy(file, reference)!)).Where(a => a.Item2 is not null)];

    static Version? AskedBy(string assembly, string reference)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        if (!file.HasMetadata)
            return null;
        var metadata = file.GetMetadataReader();
        return metadata.AssemblyReferences.Select(metadata.GetAssemblyReference)
            .Where(asked => metadata.StringComparer.Equals(asked.Name, reference)).Select(asked => asked.Version).SingleOrDefault();
    }
}
