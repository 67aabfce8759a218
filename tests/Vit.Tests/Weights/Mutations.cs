using System.Text;
using TorchSharp;

namespace Vit.Tests.Weights;

/// <summary>Files that were valid once, each damaged in one to four places.</summary>
public sealed class Mutations(int seed, IReadOnlyList<byte[]> valid, IReadOnlyList<string> fragments)
{
    const int Files = 200_000;

    readonly Random random = new(seed);

    /// <summary>
    /// Reads many: each is loaded, or refused by an <see cref="InvalidDataException"/> that names it, and no more memory is
    /// allocated than four times its length and a constant.
    /// </summary>
    public void AreLoadedOrRefused(string name, Action<byte[]> read, int allowance)
    {
        var (refused, loaded) = (0, 0);
        for (var i = 0; i < Files; i++)
        {
            using var scope = torch.NewDisposeScope();
            var bytes = Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(bytes);
                loaded++;
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains(name, exception.Message);
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * bytes.Length + allowance);
        }
        Assert.True(refused > Files / 2 && loaded > Files / 200, $"{refused} refused, {loaded} loaded: the mutations are no longer a test.");
    }

    /// <summary>The next of them.</summary>
    public byte[] Next()
    {
        var bytes = new List<byte>(valid[random.Next(valid.Count)]);
        for (var edits = random.Next(1, 5); edits > 0; edits--)
            Mutate(bytes);
        return [.. bytes];
    }

    void Mutate(List<byte> bytes)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 24), bytes.Count - at);
        switch (random.Next(7))
        {
            case 0 when length > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when length > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 4:
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                break;
            case 5:
                bytes.InsertRange(at, Fragment());
                break;
            default:
                // In place of something as long, so that lengths before it stay true.
                var fragment = Fragment();
                for (var i = 0; i < fragment.Length && at + i < bytes.Count; i++)
                    bytes[at + i] = fragment[i];
                break;
        }
    }

    byte[] Fragment() => Encoding.Latin1.GetBytes(fragments[random.Next(fragments.Count)]);
}
