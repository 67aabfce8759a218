using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>
/// Linear layers by oneDNN, with bias and GELU inside the product, where no gradient is asked for; and in training, where
/// <see cref="InTraining"/> is asked for.
/// </summary>
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

    static readonly bool TrainsFaster = Avx512F.IsSupported && !IsIntel();

    /// <summary>Whether this libtorch has the operators.</summary>
    public static bool Available => Operators.Value is not null;

    [ThreadStatic]
    static long? leastWork;

    /// <summary>
    /// Has oneDNN compute what follows on this thread with gradients too, until what is returned is disposed. Only for work
    /// that is not interrupted: the backward pass calls back into C#, and an exception there ends the process.
    /// </summary>
    /// <param name="leastWork">Products of fewer multiplications than this are not worth the way through C#; 0 goes it on every processor, for tests.</param>
    public static IDisposable InTraining(long leastWork = 1 << 24) => new Allowed(leastWork);

    /// <summary>What <c>layer.call(x)</c> gives.</summary>
    public static Tensor Apply(Linear layer, Tensor x) => Hooks.On(layer) ? layer.call(x) : Apply(layer.weight!, layer.bias, x);

    /// <summary>What <c>linear(x, weight, bias)</c> gives.</summary>
    public static Tensor Apply(Tensor weight, Tensor? bias, Tensor x) =>
        Takes(x) ? Product(x, weight, bias)
        : TakesInTraining(x, weight) ? WithGradients.apply(x, weight, bias!)
        : nn.functional.linear(x, weight, bias);

    /// <summary>What <c>gelu(layer.call(x))</c> gives.</summary>
    public static Tensor ApplyGelu(Linear layer, Tensor x)
    {
        if (Takes(x) && !Hooks.On(layer))
            return Operators.Value!.invoke<Tensor>("gelu", x, layer.weight!, layer.bias!);
        using var hidden = Apply(layer, x);
        return nn.functional.gelu(hidden);
    }

    static bool Takes(Tensor x) =>
        !is_grad_enabled() && x.device_type == DeviceType.CPU
        && (x.dtype == ScalarType.Float32 || x.dtype == ScalarType.BFloat16 && Avx512BW.IsSupported)
        && Operators.Value is not null;

    static bool TakesInTraining(Tensor x, Tensor weight) =>
        leastWork is long least && (TrainsFaster || least == 0) && Operators.Value is not null
        && x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.dim() > 1 && x.numel() * weight.shape[0] >= least
        && x.requires_grad && weight.requires_grad && is_grad_enabled();

    // With gradients: where a gradient's own gradient is asked for.
    static Tensor Product(Tensor x, Tensor weight, Tensor? bias) =>
        is_grad_enabled() ? nn.functional.linear(x, weight, bias) : Operators.Value!.invoke<Tensor>("linear", x, weight, bias!);

    static bool IsIntel()
    {
        var (_, first, third, second) = X86Base.CpuId(0, 0);
        return (first, second, third) == (0x756E6547, 0x49656E69, 0x6C65746E);   // "Genu", "ineI", "ntel"
    }

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

    sealed class Allowed : IDisposable
    {
        readonly long? before = leastWork;

        public Allowed(long least) => leastWork = least;

        public void Dispose() => leastWork = before;
    }

    sealed class WithGradients : autograd.SingleTensorFunction<WithGradients>
    {
        public override string Name => nameof(FusedLinear);

        public override Tensor forward(autograd.AutogradContext context, params object[] vars)
        {
            var (x, weight, bias) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor?)vars[2]);
            context.save_for_backward(bias is null ? [x, weight] : [x, weight, bias]);
            return Product(x, weight, bias);
        }

        public override List<Tensor> backward(autograd.AutogradContext context, Tensor grad_output)
        {
            var saved = context.get_saved_variables();
            var (x, weight) = (saved[0], saved[1]);
            var (inputs, outputs) = (x.flatten(0, -2), grad_output.flatten(0, -2));
            // The left factor is copied into another layout: that is to be the smaller one.
            var weights = weight.shape[1] < weight.shape[0]
                ? Product(inputs.t(), outputs.t(), null).t()
                : Product(outputs.t(), inputs.t(), null);
            return [Product(grad_output, weight.t(), null), weights, saved.Count == 3 ? outputs.sum([0]) : null!];
        }
    }
}
