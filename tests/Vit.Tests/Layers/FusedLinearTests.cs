using TorchSharp;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class FusedLinearTests
{
    static readonly Gen<(int Rows, int Tokens, int Input, int Output, bool Bias, bool Half)> Layers =
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 70], Gen.Int[1, 200], Gen.Int[1, 200], Gen.Bool, Gen.Bool);

    [Fact]
    public void Its_operators_are_there_on_Linux_x64()
    {
        if (OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            Assert.True(FusedLinear.Available);
        else
            Assert.Skip("Elsewhere they may be missing, and libtorch's ordinary way is gone.");
    }

    [Fact]
    public void Gives_what_the_layer_gives() => Layers.Sample(it =>
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var type = it.Half ? bfloat16 : float32;
        var tolerance = it.Half ? 2e-2 : 1e-5;
        var layer = nn.Linear(it.Input, it.Output, hasBias: it.Bias).to(type);
        var tokens = randn(it.Rows, it.Tokens, it.Input).to(type);
        var expected = layer.forward(tokens);
        LeaveNaN(it.Rows * it.Tokens * Math.Max(it.Input, it.Output));

        AssertClose(expected, FusedLinear.Apply(layer, tokens), tolerance);
        AssertClose(nn.functional.gelu(expected), FusedLinear.ApplyGelu(layer, tokens), tolerance);
    }, iter: 60, threads: 1);

    [Fact]
    public void In_training_it_has_the_gradients_of_the_layer() => Layers.Sample(it =>
    {
        using var scope = NewDisposeScope();
        var layer = nn.Linear(it.Input, it.Output, hasBias: it.Bias);
        var tokens = randn([it.Rows, it.Tokens, it.Input], requires_grad: true);
        var slope = randn(it.Rows, it.Tokens, it.Output);
        Tensor[] at = [tokens, .. layer.parameters()];
        var expected = autograd.grad([layer.forward(tokens)], at, [slope]);
        LeaveNaN(it.Rows * it.Tokens * Math.Max(it.Input, it.Output));

        using var products = FusedLinear.InTraining(leastWork: 0);
        var actual = autograd.grad([FusedLinear.Apply(layer, tokens)], at, [slope]);
        Assert.All(expected.Zip(actual), pair => AssertClose(pair.First, pair.Second, 1e-5));
    }, iter: 60, threads: 1);

    [Fact]
    public void In_training_gradients_have_gradients()
    {
        using var scope = NewDisposeScope();
        using var products = FusedLinear.InTraining(leastWork: 0);
        var layer = nn.Linear(3, 5);
        var tokens = randn([2, 4, 3], requires_grad: true);

        Tensor Curvature(Func<Tensor, Tensor> linear)
        {
            var slope = autograd.grad([linear(tokens).pow(3).sum()], [tokens], retain_graph: true, create_graph: true)[0];
            return autograd.grad([slope.pow(2).sum()], [layer.weight!])[0];
        }
        AssertClose(Curvature(layer.forward), Curvature(x => FusedLinear.Apply(layer, x)), 1e-5);
    }

    [Fact]
    public void WithGradients_TheyFlow()
    {
        using var scope = NewDisposeScope();
        var layer = nn.Linear(16, 32);
        FusedLinear.ApplyGelu(layer, randn(2, 3, 16)).sum().backward();
        Assert.NotNull(layer.weight!.grad);
    }

    /// <summary>A product that reads what stood in its memory before is found out by NaN: libtorch's convolution does.</summary>
    static void LeaveNaN(long count)
    {
        for (var size = 1L; size <= 4; size++)
            full(size * count, float.NaN).Dispose();
    }

    static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Close.Equal(expected.to(float32), actual.to(float32), tolerance * Math.Max(1, expected.abs().max().to(float32).item<float>()));
    }
}
