using System.Globalization;
using Vit.Data;
using Vit.Tests.Weights;

namespace Vit.Tests.Data;

/// <summary>
/// Files that were changed at random: 30,000 of each kind, or as many as the environment's MUTATED_PICTURES says. Each is
/// read, or refused by the one exception that is documented, under its name.
/// </summary>
public class MutatedPictureTests
{
    static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("MUTATED_PICTURES") ?? "30000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("*.png")]
    [InlineData("*.jpg")]
    [InlineData("*.webp")]
    public void Mutated_pictures_are_read_or_refused(string kind)
    {
        byte[][] files = [.. Directory.GetFiles(Path.Combine(Fixture.Root, "pictures"), kind).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
        var (read, refused) = (0, 0);
        Parallel.For(0, Count, i =>
        {
            var content = Mutated(files[i % files.Length], new Random(i));
            try
            {
                Picture.Decode(content, "mutated").Dispose();
                Interlocked.Increment(ref read);
            }
            catch (InvalidDataException error) when (error.Message.StartsWith("mutated: found ", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref refused);
            }
        });
        Assert.Equal(Count, read + refused);
        Assert.InRange(read, Count / 20, Count - Count / 20);
    }

    // Some bytes anywhere, or in the first hundred, where the numbers are that say how much follows; some cut off, or repeated.
    static byte[] Mutated(byte[] file, Random random)
    {
        var content = (byte[])file.Clone();
        var end = random.Next(3) == 0 ? Math.Min(100, content.Length) : content.Length;
        for (var changes = random.Next(1, 5); changes > 0; changes--)
            content[random.Next(end)] = random.Next(4) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
        if (random.Next(8) == 0)
            content = content[..random.Next(content.Length)];
        if (random.Next(8) == 0 && random.Next(content.Length) is var at)
            content = [.. content[..at], .. content[(at / 2)..]];
        if (random.Next(4) > 0 && content.AsSpan().IndexOf("PNG"u8) == 1)
            Png.Mend(content);
        return content;
    }
}
