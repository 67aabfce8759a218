using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Which processor computes.</summary>
public static partial class ComputeDevice
{
    const int TrimThreshold = -1, MostMaps = -4;

    /// <summary>
    /// Sets what belongs to the whole process, for programs that compute much: CUDA's matrix products and convolutions may use
    /// TF32, and the memory of tensors that are freed is kept for those that follow. Nothing else in this library does either.
    /// </summary>
    /// <remarks>
    /// Kept memory is not given back to the system and fetched again, page by page, at every layer. The process stays as large as
    /// it was at most; up to 2 GB are kept. It is a matter of glibc, whose default it is not; on other threads than the first it
    /// holds in full where the environment says <c>MALLOC_ARENA_MAX=1</c>, as it does for the notebooks' kernel.
    /// </remarks>
    public static void TuneProcess()
    {
        if (cuda.is_available())
            (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32) = (true, true);
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

    /// <summary>Chooses a device.</summary>
    /// <param name="name"><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c> …, <c>mps</c>, or <c>auto</c> for CUDA where there is one, else MPS, else the CPU.</param>
    /// <exception cref="ArgumentException">There is no device of this name.</exception>
    /// <exception cref="InvalidOperationException">This machine, or this build of libtorch, does not have the device.</exception>
    public static Device Choose(string name = "auto")
    {
        Check(name);
        if (name == "auto")
            name = cuda.is_available() ? "cuda" : mps_is_available() ? "mps" : "cpu";
        if (name.StartsWith("cuda", StringComparison.Ordinal))
        {
            if (!cuda.is_available())
                throw new InvalidOperationException($"There is no CUDA device, asked for was '{name}': build with -p:Cuda=true on a machine that has one, or take 'auto' or 'cpu'.");
            var index = name.Length > 5 ? int.Parse(name[5..]) : 0;
            if (index >= cuda.device_count())
                throw new InvalidOperationException($"There is no '{name}': this machine has {cuda.device_count()} CUDA devices, numbered from 0.");
        }
        if (name == "mps" && !mps_is_available())
            throw new InvalidOperationException("There is no MPS device: it takes a Mac with an Apple processor. Take 'auto' or 'cpu'.");
        return device(name);
    }

    /// <exception cref="ArgumentException">There is no device of this name on any machine.</exception>
    internal static void Check(string name)
    {
        if (!Name().IsMatch(name))
            throw new ArgumentException($"A device is auto, cpu, cuda, cuda:N or mps; given was '{name}'.", nameof(name));
    }

    [GeneratedRegex(@"\A(auto|cpu|mps|cuda(:[0-9]{1,3})?)\z")]
    private static partial Regex Name();
}
