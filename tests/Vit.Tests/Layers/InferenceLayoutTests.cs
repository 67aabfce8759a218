using Vit.Layers;
using Vit.Models;
using Vit.Tests.Training;
using Vit.Tests.Weights;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class InferenceLayoutTests
{
    [Fact]
    public void Only_the_layout_changes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = new VisionTransformer(Small.Config with { MlpWidth = 64 });
        model.eval();
        var images = rand(2, 1, 12, 12);
        var expected = model.forward(images);
        SafeTensors.Save(folder["before"], model.state_dict());

        InferenceLayout.Apply(model);
        var block = model.blocks[0];
        Assert.Equal([1, 48], block.attn.qkv.weight.stride());
        Assert.Equal([1, 16], block.attn.proj.weight.stride());
        Assert.Equal([16, 1], block.mlp.fc1.weight.stride());
        Assert.Equal([1, 16], block.mlp.fc2.weight.stride());
        Close.Equal(expected, model.forward(images), 1e-5);
        using (no_grad())
            Close.Equal(expected, model.forward(images), 1e-5);
        SafeTensors.Save(folder["after"], model.state_dict());
        Assert.Equal(File.ReadAllBytes(folder["before"]), File.ReadAllBytes(folder["after"]));

        using var file = new SafeTensorsFile(folder["before"]);
        using var noGradients = no_grad();
        foreach (var (name, weight) in model.state_dict())
        {
            weight.zero_();
            file.ReadInto(name, weight);
            SameBits.Assert(file.Read(name), weight);
        }
    }
}
