using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Linear layers by oneDNN, with bias and GELU inside the product, where no gradient is asked for.</summary>
/// <remarks>
/// libtorch gives float32 products to MKL, which leaves AVX-512 unused on every CPU that is not Intel's: oneDNN, which is
/// inside libtorch too, takes half the time there. TorchSharp has no function for it, but TorchScript reaches every
/// operator; a module of two functions, written below, is loaded once. Where there is no such operator, or the tensor is
/// none that it takes, libtorch's ordinary way is gone.
/// </remarks>
static class FusedLinear
{
    const string Source = """
        class Fused(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def linear(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
            return ops.mkldnn._linear_pointwise(x, weight, bias, "none", annotate(List[Optional[number]], []), "")
          def gelu(self: __torch__.Fused, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
            return ops.mkldnn._linear_pointwise(x, weight, bias, "gelu", annotate(List[Optional[number]], []), "none")

        """;

    // The object that the module consists of, as a pickle: a Fused whose one attribute, training, is false.
    static readonly byte[] Pickled =
        [0x80, 2, .. "c__torch__\nFused\n)"u8, 0x81, .. "}X"u8, 8, 0, 0, 0, .. "training"u8, 0x89, .. "sb."u8];

    static readonly Lazy<jit.ScriptModule?> Operators = new(Load);

    /// <summary>What <c>layer.forward(x)</c> gives.</summary>
    public static Tensor Apply(Linear layer, Tensor x) => Apply(layer.weight!, layer.bias, x);

    /// <summary>What <c>linear(x, weight, bias)</c> gives.</summary>
    public static Tensor Apply(Tensor weight, Tensor? bias, Tensor x) =>
        Takes(x) ? Operators.Value!.invoke<Tensor>("linear", x, weight, bias!) : nn.functional.linear(x, weight, bias);

    /// <summary>What <c>gelu(layer.forward(x))</c> gives.</summary>
    public static Tensor ApplyGelu(Linear layer, Tensor x)
    {
        if (Takes(x))
            return Operators.Value!.invoke<Tensor>("gelu", x, layer.weight!, layer.bias!);
        using var hidden = layer.forward(x);
        return nn.functional.gelu(hidden);
    }

    static bool Takes(Tensor x) =>
        !is_grad_enabled() && x.device_type == DeviceType.CPU
        && (x.dtype == ScalarType.Float32 || x.dtype == ScalarType.BFloat16 && Avx512BW.IsSupported)
        && Operators.Value is not null;

    static jit.ScriptModule? Load()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add("data.pkl", Pickled);
            Add("constants.pkl", [0x80, 2, .. ")."u8]);
            Add("version", "3\n"u8);
            Add("code/__torch__.py", Encoding.UTF8.GetBytes(Source));

            void Add(string name, ReadOnlySpan<byte> content)
            {
                using var entry = zip.CreateEntry($"fused/{name}", CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }
        try
        {
            return jit.load(file.ToArray());
        }
        catch (ExternalException)
        {
            return null;
        }
    }
}
