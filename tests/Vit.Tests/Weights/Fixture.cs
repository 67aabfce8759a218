using System.Reflection;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

/// <summary>The reference weights and outputs in <c>Fixtures/</c>; its README says where they come from.</summary>
public static class Fixture
{
    public static string Root { get; } = Path.Combine(
        typeof(Fixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(it => it.Key == "RepositoryRoot").Value!,
        "tests", "Vit.Tests", "Fixtures");

    public static string PathOf(string folder, string file) => Path.Combine(Root, folder, file);

    public static Dictionary<string, Tensor> Expected(string folder) => SafeTensors.Load(PathOf(folder, "expected.safetensors"));
}
