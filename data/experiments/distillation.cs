#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// DeiT's claims in small: hard and soft lessons, with and without a token of their own, from a teacher that knows the same
// 1,000 images as its students and from one that knows 20,000.
//   dotnet run data/experiments/distillation.cs
// Writes distillation.csv beside it, a line for each training; what stands there already is not trained again. Each way of
// learning has its own learning rate: the one that knows the validation images best with seed 1, from a row of rates that
// goes on until the best lies inside. With it the other seeds are trained. About five minutes on one core.

const int Few = 1_000, Many = 20_000, Epochs = 8, BatchSize = 32, ValidationCount = 3_000;
int[] seeds = [1, 2, 3];

var log = new ExperimentLog("distillation.csv", "way;teacher;rate;seed;validation_top1;test_top1");
var (rest, validation) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(ValidationCount, seed: 0);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);
var many = rest.RandomSplit(Many, seed: 1).Aside;
var few = many.Select(Enumerable.Range(0, Few).Select(i => (long)i));
var shiftAndFlip = new Augmentation { CropPadding = 2, HorizontalFlip = true };

var plain = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 7,
    Layers = 4,
    Width = 48,
    MlpWidth = 96,
    Heads = 4,
    Classes = 10,
};
var twoTokens = plain with { Distilled = true };

ComputeDevice.TuneProcess();
Lazy<nn.Module<Tensor, Tensor>> peer = new(() => Teacher("the same images", few, epochs: 60)), expert = new(() => Teacher("20,000 images", many, epochs: 3));

// One output hears both; or the class token the labels, and the distillation token the teacher.
Lesson soft = (_, z_d, _, z_t) => Soft(z_d, z_t), hard = (_, z_d, _, z_t) => CrossEntropy(z_d, z_t.argmax(1));
Lesson labels = (_, z_d, y, _) => CrossEntropy(z_d, y);
(string, Lazy<nn.Module<Tensor, Tensor>>?) none = ("none", null), same = ("the same images", peer), more = ("20,000 images", expert);
Choose(("alone", plain, labels, 0.5), none);
Choose(("hard, one output", plain, hard, 0.5), same);
Choose(("hard, with the token", twoTokens, hard, 0.5), same);
Choose(("soft, one output", plain, soft, 0.1), same);
Choose(("alone, two tokens", twoTokens, labels, 0.5), none);
Choose(("alone, images as they are", plain, labels, 0.5), none, asTheyAre: true);
Choose(("hard, with the token", twoTokens, hard, 0.5), more);

void Choose((string Name, VisionTransformerConfig Model, Lesson Lesson, double Weight) way, (string Name, Lazy<nn.Module<Tensor, Tensor>>? Teacher) teacher, bool asTheyAre = false) =>
    ExperimentLog.Sweep($"{way.Name}, {teacher.Name}", 2e-3, seeds, (rate, seed) => Run(way, teacher, asTheyAre ? null : shiftAndFlip, rate, seed));

// The accuracy on validation and test images.
double[] Run((string Name, VisionTransformerConfig Model, Lesson Lesson, double Weight) way, (string Name, Lazy<nn.Module<Tensor, Tensor>>? Teacher) teacher, Augmentation? augmentation, double rate, int seed) => log.Results($"{way.Name};{teacher.Name};{rate};{seed}", () =>
{
    var teaching = teacher.Teacher?.Value;
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    using var model = new VisionTransformer(way.Model);
    Train(model, few, Epochs, rate, seed, (_, images, targets) =>
    {
        var (z_c, z_d) = way.Model.Distilled ? model.Heads(images) : (model.call(images), null);
        var y = targets.argmax(1);
        Tensor z_t;
        using (no_grad())
            z_t = teaching is null ? targets : teaching.call(images);
        return ((1 - way.Weight) * CrossEntropy(z_c, y) + way.Weight * way.Lesson(z_c, z_d ?? z_c, y, z_t), z_c);
    }, augmentation);
    return Top1(model);
});

// A convolutional network that takes each image in squares of 2 × 2, with one rate that was not searched for.
nn.Module<Tensor, Tensor> Teacher(string name, ImageSet images, int epochs)
{
    random.manual_seed(15);
    var model = nn.Sequential(("squares", nn.PixelUnshuffle(2)), ("net", new ConvNet(new ConvNetConfig { Channels = 4, Widths = [16, 32, 64] })));
    Train(model, images, epochs, 4e-3, seed: 15, Trainer.CrossEntropy, shiftAndFlip);
    model.eval();
    log.Results($"teacher;{name};{4e-3};{15}", () => Top1(model));
    return model;
}

void Train(nn.Module<Tensor, Tensor> model, ImageSet images, int epochs, double rate, int seed, TrainingLoss loss, Augmentation? augmentation)
{
    var recipe = new Recipe
    {
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = rate,
        WarmUpEpochs = 0.1 * epochs,
        Augmentation = augmentation,
        Seed = seed,
        Device = "cpu",
    };
    // The Trainer looks at one image of validation after each epoch, which chooses nothing.
    using var trainer = new Trainer(model, images, validation.Select([0]), recipe) { Loss = loss };
    foreach (var _ in trainer.Run()) { }
}

double[] Top1(nn.Module<Tensor, Tensor> model) => [Evaluation.Of(model, validation).Top1, Evaluation.Of(model, test).Top1];

static Tensor CrossEntropy(Tensor logits, Tensor labels) => nn.functional.cross_entropy(logits, labels);

// τ² KL(teacher ‖ student) at τ = 3, the mean over the images.
static Tensor Soft(Tensor student, Tensor teacher)
{
    const double Temperature = 3;
    var (p, logP, logQ) = ((teacher / Temperature).softmax(1), (teacher / Temperature).log_softmax(1), (student / Temperature).log_softmax(1));
    return Temperature * Temperature * (p * (logP - logQ)).sum(1).mean();
}

delegate Tensor Lesson(Tensor z_c, Tensor z_d, Tensor labels, Tensor z_t);
