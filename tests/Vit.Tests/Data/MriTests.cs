using System.Security.Cryptography;
using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public sealed class MriTests
{
    [Fact]
    public void The_files_are_those_of_the_checksums_and_the_mask_lies_in_the_head()
    {
        using var scope = NewDisposeScope();
        var sums = File.ReadAllLines(DataFolder.PathTo("mri", "SHA256SUMS")).Select(line => line.Split("  ")).ToDictionary(parts => parts[1], parts => parts[0]);
        var (head, brain) = (Read("head.nii.gz"), Read("brain.nii.gz"));
        Assert.Equal(3, sums.Count);
        foreach (var volume in new[] { head, brain })
        {
            Assert.Equal([90, 108, 90], volume.Voxels.shape);
            Assert.Equal("RAS", volume.StoredAxes);
            Assert.Equal([2, 2, 2], volume.VoxelSize);
        }
        Assert.Equal([-89.5, -124.5, -70.5], [head.Affine[0, 3], head.Affine[1, 3], head.Affine[2, 3]]);
        // As NumPy averages them from the volumes of 1 mm.
        Assert.Equal(45.30290, head.Voxels.to(float64).mean().item<double>(), 1e-4);
        Assert.Equal(0.2511946, brain.Voxels.to(float64).mean().item<double>(), 1e-6);
        Assert.Equal(0, brain.Voxels[head.Voxels.eq(0)].sum().item<float>());

        using var slice = Dicom.Read(Checked("slice.dcm")).Values;
        Assert.Equal([64, 64], slice.shape);

        Nifti Read(string name) => Nifti.Read(Checked(name));

        string Checked(string name)
        {
            var path = DataFolder.PathTo("mri", name);
            Assert.Equal(sums[name], Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
            return path;
        }
    }
}
