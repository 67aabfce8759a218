using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Which processor computes.</summary>
public static partial class ComputeDevice
{
    /// <summary>Chooses a device, and lets CUDA's matrix products and convolutions use TF32.</summary>
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
            backends.cuda.matmul.allow_tf32 = true;
            backends.cudnn.allow_tf32 = true;
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
