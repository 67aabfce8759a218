using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Notebooks;

/// <summary>plotly.js, which draws charts.</summary>
static class PlotlyScript
{
    /// <summary>Reads it out of Plotly.NET.dll without loading that.</summary>
    /// <param name="assembly">Plotly.NET.dll.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file holds no plotly.js.</exception>
    public static byte[] Read(string assembly)
    {
        if (!File.Exists(assembly))
        {
            throw new FileNotFoundException($"'{assembly}' is missing; `dotnet build` makes it.");
        }

        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        foreach (var resource in metadata.ManifestResources.Select(metadata.GetManifestResource).Where(r => r.Implementation.IsNil))
        {
            var name = metadata.GetString(resource.Name);
            if (name.Contains("plotly", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".js", StringComparison.OrdinalIgnoreCase))
            {
                // A resource is its length, then its bytes.
                var data = file.GetSectionData(file.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress).GetContent((int)resource.Offset, sizeof(int));
                return [.. file.GetSectionData(file.PEHeaders.CorHeader.ResourcesDirectory.RelativeVirtualAddress)
                    .GetContent((int)resource.Offset + sizeof(int), BitConverter.ToInt32([.. data]))];
            }
        }

        throw new InvalidDataException($"'{assembly}' holds no plotly.js.");
    }
}
