using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

/// <summary>A file is the same to everything that looks at it.</summary>
public class ContractTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Keeps what the model was shown last, and what it said.</summary>
    sealed class Overheard : nn.Module<Tensor, Tensor>
    {
        public readonly VisionTransformer model;
        public Tensor? Images, Logits;

        public Overheard(VisionTransformer model) : base(nameof(Overheard))
        {
            this.model = model;
            RegisterComponents();
        }

        public override Tensor forward(Tensor images)
        {
            var logits = model.forward(images);
            (Images, Logits) = (images.clone().DetachFromDisposeScope(), logits.clone().DetachFromDisposeScope());
            return logits;
        }
    }

    [Fact]
    public void No_images_at_all_are_told_by_every_model()
    {
        var micro = VisionTransformerConfig.Micro;
        foreach (var model in new nn.Module<Tensor, Tensor>[]
        {
            new VisionTransformer(micro), new ConvNet(new()),
            new SwinTransformer(new() { ImageHeight = 32, ImageWidth = 32, WindowSize = 4, Width = 32, Depths = [1, 1], Heads = [2, 4], Classes = 10 }),
            new HybridVisionTransformer(new() { Encoder = micro with { PatchSize = 1 }, Stages = [1] }),
        })
            using (model)
            {
                Assert.Contains("[0, 3, 32, 32]", Assert.Throws<ArgumentException>(() => model.forward(zeros(0, 3, 32, 32))).Message);
                Assert.Equal<long>([2, 10], model.forward(zeros(2, 3, 32, 32)).shape);
            }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1.0)]
    [InlineData(0.8)]
    public void Classify_and_validation_give_the_same_logits_bit_for_bit(double? crop)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        foreach (var (name, file) in new[] { ("a", "rocket.jpg"), ("b", "cat.png") })
        {
            Directory.CreateDirectory(folder[name]);
            File.Copy(DataFolder.PathTo("photos", file), Path.Combine(folder[name], file));
        }
        var preprocessing = new Preprocessing { Height = 32, Width = 48, Crop = crop, Normalization = Normalization.ImageNet };
        var set = ImageFolder.Scan(folder.FullName, preprocessing);
        random.manual_seed(1);
        using var model = new Overheard(new(VisionTransformerConfig.Micro with { ImageWidth = 48, Classes = 2 }));
        nn.init.normal_(model.model.head!.weight!);
        using var trainer = new Trainer(model, set, set.Select([0]), Small.Recipe with { BatchSize = 1 });
        trainer.Evaluate(Stop);
        var (images, logits) = (model.Images!, model.Logits!);

        using var pretrained = new PretrainedModel<Overheard>
        {
            Model = model,
            Kind = CheckpointKind.Timm,
            ClassNames = set.ClassNames,
            Preprocessing = preprocessing,
            Mismatch = new([], [], []),
        };
        var answer = pretrained.Classify(set.Paths[0]);
        Weights.SameBits.Assert(images, model.Images!);
        Weights.SameBits.Assert(logits, model.Logits!);
        Assert.Equal(logits.softmax(1).max().item<float>(), answer[0].Probability);
    }
}
