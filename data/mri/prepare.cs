#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using Vit.Data;
using static TorchSharp.torch;

// Makes the two volumes of this folder and SHA256SUMS from Debian's mricron-data, unpacked:
//   apt-get download mricron-data && dpkg -x mricron-data_*.deb unpacked
//   dotnet run data/mri/prepare.cs unpacked/usr/share/mricron/templates
// Voxels of 1 mm are averaged by eights to 2 mm; the last plane along each axis, of which there is an odd number, is left out.
// The mask is 1 where at least half of the eight voxels are brain, which is where ch2bet is not 0.

var (source, here) = (args[0], (string)AppContext.GetData("EntryPointFileDirectoryPath")!);
var head = Nifti.Read(Path.Combine(source, "ch2.nii.gz"));
var brain = Nifti.Read(Path.Combine(source, "ch2bet.nii.gz"));
Write("head.nii.gz", Halved(head.Voxels).round());
Write("brain.nii.gz", Halved(brain.Voxels.gt(0).to(float32)).ge(0.5));

var sums = new[] { "brain.nii.gz", "head.nii.gz" }.Select(name =>
    $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(here, name))))}  {name}\n");
File.WriteAllText(Path.Combine(here, "SHA256SUMS"), string.Concat(sums));

static Tensor Halved(Tensor volume) => nn.functional.avg_pool3d(volume.unsqueeze(0).unsqueeze(0), [2, 2, 2])[0, 0];

// A header of 348 bytes and four without extensions, little-endian, then bytes, the first axis fastest.
void Write(string name, Tensor volume)
{
    var header = new byte[352];
    void Short(int at, params int[] values)
    {
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(at + 2 * i), (short)values[i]);
    }
    void Float(int at, params double[] values)
    {
        for (var i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(header.AsSpan(at + 4 * i), (float)values[i]);
    }
    var size = volume.shape.Select(n => (int)n).ToArray();
    Short(0, 348);
    Short(40, [3, .. size, 1, 1, 1, 1]);
    Short(70, 2, 8);                                // voxels of type 2, unsigned bytes, of 8 bits
    Float(76, 1, 2, 2, 2);                          // mm
    Float(108, 352, 1, 0);                          // where the voxels begin, their scale and offset
    header[123] = 2;                                // millimetres
    Short(254, 4);                                  // the place of the voxels is MNI's
    for (var row = 0; row < 3; row++)
        for (var column = 0; column < 4; column++)  // the middle of eight voxels lies half a millimetre from the first's
            Float(280 + 16 * row + 4 * column, head.Affine[row, column] * (column < 3 ? 2 : 1) + (column < 3 ? 0 : 0.5));
    "n+1"u8.CopyTo(header.AsSpan(344));
    using var file = new GZipStream(File.Create(Path.Combine(here, name)), CompressionLevel.SmallestSize);
    file.Write(header);
    file.Write(volume.to(uint8).permute(2, 1, 0).contiguous().bytes);
}
