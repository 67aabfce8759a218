using System.Reflection;

namespace Vit.Tests.Weights;

/// <summary>The reference weights and outputs in <c>Fixtures/</c>; its README says where they come from.</summary>
public static class Fixture
{
    public static string Root { get; } = Path.Combine(
        typeof(Fixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(it => it.Key == "RepositoryRoot").Value!,
        "tests", "Vit.Tests", "Fixtures");
}
