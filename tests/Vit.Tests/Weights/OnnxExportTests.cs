using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

/// <summary>ONNX Runtime gives the same logits.</summary>
public sealed class OnnxExportTests : IDisposable
{
    const double Tolerance = 1e-5;

    readonly TemporaryFolder folder = new();
    readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    public static TheoryData<string, VisionTransformerConfig> Configurations
    {
        get
        {
            var micro = VisionTransformerConfig.Micro;
            return new()
            {
                { "plain", micro },
                { "mean pooling", micro with { Pooling = Pooling.Mean } },
                { "registers", micro with { RegisterTokens = 3 } },
                { "registers and mean", micro with { Pooling = Pooling.Mean, RegisterTokens = 3, PatchPositionsOnly = true } },
                { "positions of patches alone", micro with { PatchPositionsOnly = true } },
                { "mean pooling beside a class token", micro with { Pooling = Pooling.Mean, UnreadClassToken = true } },
                { "the norm before the mean", micro with { Pooling = Pooling.Mean, NormBeforePooling = true } },
                { "DeiT", micro with { Distilled = true } },
                { "no positions", micro with { Positions = PositionKind.None } },
                { "computed positions", micro with { Positions = PositionKind.SinCos2D } },
                { "layer before the head", micro with { PreLogitsWidth = 20 } },
                { "no bias", micro with { QkvBias = false } },
                { "LayerScale", micro with { LayerScale = 0.1 } },
                { "odd sizes", micro with { ImageHeight = 24, ImageWidth = 40, Channels = 1, MlpWidth = 50, Heads = 2, Classes = 3 } },
                { "another epsilon, dropout", micro with { LayerNormEpsilon = 0.1, Dropout = 0.5, AttentionDropout = 0.5, DropPath = 0.5 } },
            };
        }
    }

    [Theory, MemberData(nameof(Configurations))]
    public void AnyVisionTransformer_AnswersAlike(string name, VisionTransformerConfig config)
    {
        var model = Randomized(new VisionTransformer(config));
        OnnxExport.Save(model, folder["model.onnx"]);
        foreach (var batch in (int[])[1, 3])
            AssertAlike(name, model, randn(batch, config.Channels, config.ImageHeight, config.ImageWidth));
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public void AConvNet_AnswersAlike(int blocks)
    {
        var model = Randomized(new ConvNet(new ConvNetConfig { Channels = 1, Widths = [16, 32], Blocks = blocks }));
        OnnxExport.Save(model, folder["model.onnx"]);
        AssertAlike("ConvNet", model, randn(1, 1, 28, 28));
        AssertAlike("ConvNet", model, randn(3, 1, 17, 21));
    }

    [Theory]
    [InlineData("timm"), InlineData("timm-mean-pool"), InlineData("timm-registers"), InlineData("huggingface")]
    public void TheReferenceWeights_GiveTheReferenceLogits(string fixture)
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, fixture));
        OnnxExport.Save(pretrained.Model, folder["model.onnx"]);
        var expected = Fixture.Expected(fixture);
        Close.Equal(expected["logits"], Run(expected["input"]), Tolerance);
    }

    [Fact]
    public void HalfPrecision_IsExportedAsFloat()
    {
        var model = Randomized(new VisionTransformer(VisionTransformerConfig.Micro));
        model.bfloat16();
        OnnxExport.Save(model, folder["model.onnx"]);
        model.to(float32);
        AssertAlike("bfloat16", model, randn(2, 3, 32, 32));
    }

    [Fact]
    public void TheFile_TellsItsInputAndOutput()
    {
        WholeFiles.AssertReplaced(folder["model.onnx"], () => OnnxExport.Save(new VisionTransformer(VisionTransformerConfig.Micro), folder["model.onnx"]));
        using var session = new InferenceSession(folder["model.onnx"]);
        var (input, output) = (session.InputMetadata["images"], session.OutputMetadata["logits"]);
        Assert.Equal([-1, 3, 32, 32], input.Dimensions);
        Assert.Equal("batch", input.SymbolicDimensions[0]);
        Assert.Equal([-1, 10], output.Dimensions);
        Assert.Equal(["model.onnx"], folder.Files);
    }

    void AssertAlike(string name, nn.Module<Tensor, Tensor> model, Tensor images)
    {
        var expected = model.forward(images);
        var actual = Run(images);
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.std().item<float>() > 0.01, $"{name}: the logits tell nothing.");
        var allowed = Tolerance * Math.Max(1, expected.abs().max().item<float>());
        Assert.True(Close.LargestDifference(expected, actual) <= allowed, $"{name}: {Close.LargestDifference(expected, actual)}, allowed is {allowed}");
    }

    [Fact]
    public void TheFileTellsWhatPicturesBecome_AndTheClasses()
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { Classes = 2 });
        var preprocessing = Preprocessing.Square(32) with { Crop = 0.9, Normalization = Normalization.ImageNet };
        OnnxExport.Save(model, folder["model.onnx"], preprocessing, ["é", "b"]);
        using var session = new InferenceSession(folder["model.onnx"]);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal("""["é","b"]""", metadata["class_names"]);
        var json = new System.Text.Json.JsonSerializerOptions { Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() } };
        Assert.Equal(preprocessing, System.Text.Json.JsonSerializer.Deserialize<Preprocessing>(metadata["preprocessing"], json));
        Assert.Throws<ArgumentException>(() => OnnxExport.Save(model, folder["model.onnx"], classNames: ["a"]));
    }

    Tensor Run(Tensor images)
    {
        using var session = new InferenceSession(folder["model.onnx"]);
        using var input = OrtValue.CreateTensorValueFromMemory(images.data<float>().ToArray(), images.shape);
        using var options = new RunOptions();
        using var outputs = session.Run(options, ["images"], [input], ["logits"]);
        return tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }

    /// <summary>In evaluation mode, no parameter and no statistic as it was initialised.</summary>
    static TModel Randomized<TModel>(TModel model) where TModel : nn.Module
    {
        manual_seed(7);
        using var noGradients = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
            parameter.add_(randn_like(parameter) * 0.1);
        foreach (var (name, buffer) in model.named_buffers())
            if (name.EndsWith("running_mean") || name.EndsWith("running_var"))
                buffer.add_(rand_like(buffer));
        model.eval();
        return model;
    }
}
