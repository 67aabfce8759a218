using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class DistilledVisionTransformerTests
{
    /// <summary>Those of the Vision Transformer (FACTS of each size), a token, its position and a head.</summary>
    public static TheoryData<string, VisionTransformerConfig, long> ParameterCounts => new()
    {
        { nameof(DistilledVisionTransformer.DeiTTi16), DistilledVisionTransformer.DeiTTi16, 5_910_800 },
        { nameof(DistilledVisionTransformer.DeiTS16), DistilledVisionTransformer.DeiTS16, 22_436_432 },
        { nameof(DistilledVisionTransformer.DeiTB16), DistilledVisionTransformer.DeiTB16, 87_338_192 },
    };

    [Theory, MemberData(nameof(ParameterCounts))]
    public void EveryConfiguration_HasItsPublishedNumberOfParameters(string name, VisionTransformerConfig config, long parameters)
    {
        using var model = new DistilledVisionTransformer(config);
        Assert.True(model.parameters().Sum(parameter => parameter.numel()) == parameters, name);
    }

    [Fact]
    public void TheOutput_IsTheMeanOfBothHeads()
    {
        using var scope = NewDisposeScope();
        var model = new DistilledVisionTransformer(VisionTransformerConfig.Micro);
        model.eval();
        foreach (var parameter in model.parameters())
            nn.init.normal_(parameter, 0, 0.1);
        var images = randn(2, 3, 32, 32);
        var (@class, distillation) = model.Heads(images);
        Assert.True(Close.LargestDifference(@class, distillation) > 0.01);
        Close.Equal((@class + distillation) / 2, model.forward(images));
        Close.Equal(model.forward(images), model.Trace(images).Logits);
    }

    [Fact]
    public void WhatDeiTDoesNotHave_IsRefused()
    {
        var micro = VisionTransformerConfig.Micro;
        Assert.Throws<ArgumentException>(() => new DistilledVisionTransformer(micro with { Pooling = Pooling.Mean }));
        Assert.Throws<ArgumentException>(() => new DistilledVisionTransformer(micro with { RegisterTokens = 1 }));
        Assert.Throws<ArgumentException>(() => new DistilledVisionTransformer(micro with { Positions = PositionKind.None }));
        Assert.Contains("[B, 3, 32, 32]", Assert.Throws<ArgumentException>(() => new DistilledVisionTransformer(micro).forward(zeros(1, 3, 40, 32))).Message);
    }
}
