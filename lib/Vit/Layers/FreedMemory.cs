using System.Runtime.InteropServices;

namespace Vit.Layers;

/// <summary>What happens to the memory of tensors that are disposed.</summary>
public static class FreedMemory
{
    const int TrimThreshold = -1, MostMaps = -4;

    /// <summary>
    /// Has it kept for the tensors that follow, instead of given back to the system and fetched again, page by page, at
    /// every layer. The process stays as large as it was at most; up to 2 GB are kept. Does nothing but with glibc, whose
    /// default it is not; on other threads than the first it holds in full where the environment says
    /// <c>MALLOC_ARENA_MAX=1</c>, as it does for the notebooks' kernel.
    /// </summary>
    public static void Keep()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = mallopt(MostMaps, 0);
            _ = mallopt(TrimThreshold, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
        }

        [DllImport("libc")]
        static extern int mallopt(int parameter, int value);
    }
}
