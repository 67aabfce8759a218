#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp.Modules;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// What learning without labels is worth, by the number of labels that follow: notebook 17's experiment.
//   dotnet run data/experiments/masked-autoencoder.cs
// Writes masked-autoencoder.csv beside it, a line for each training with labels, and masked-autoencoder.safetensors, the
// longest pre-training's model; what stands there already is not trained again. Each way of learning has its own learning
// rate for each number of labels: with seed 11, the one that knows the 5,000 validation images best, from a row of rates
// that goes on by factors of two until the best lies inside. With it seeds 1 to 3 are trained, and look at the test images.
// A seed draws the labelled images, their order and the first weights. A quiet core takes three quarters of an hour.

const int ValidationCount = 5_000, Long = 8, Short = 1;
const string Pixels = "linear, on pixels";
int[] sizes = [10, 100, 1_000, 10_000], seeds = [1, 2, 3];
var config = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 4,
    Layers = 4,
    Width = 64,
    MlpWidth = 128,
    Heads = 4,
    Classes = 0,
    Pooling = Pooling.Mean,
};
var decoder = new MaskedAutoencoderConfig { DecoderWidth = 32, DecoderLayers = 1, DecoderHeads = 4 };

var log = new ExperimentLog("masked-autoencoder.csv", "way;mask;decoder_layers;epochs;labels;rate;seed;validation_top1;test_top1");
ComputeDevice.TuneProcess();
var (rest, validation) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(ValidationCount, seed: 0);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);
var unlabelled = FewLabels.Normalized(rest);

var shipped = Path.Combine(ExperimentLog.Folder, "masked-autoencoder.safetensors");
Lazy<MaskedAutoencoder> trained = new(() =>
{
    var model = Create(decoder);
    if (File.Exists(shipped))
        model.load_state_dict(SafeTensors.Load(shipped).ToDictionary(it => it.Key, it => it.Value.to(float32)));
    else
    {
        PreTrain(model, Long);
        SafeTensors.Save(shipped, model.state_dict().ToDictionary(it => it.Key, it => it.Value.to(float16)));
    }
    return model;
});
Lazy<MaskedAutoencoder> untrained = new(() => Create(decoder));

foreach (var labels in sizes)
{
    Compare("from scratch", decoder, 0, labels, 1e-3, untrained, frozen: false);
    Compare("fine-tuned", decoder, Long, labels, 1e-3, trained, frozen: false);
    Compare("linear, on frozen features", decoder, Long, labels, 1e-2, trained, frozen: true);
    Compare("linear, on frozen features", decoder, 0, labels, 1e-2, untrained, frozen: true);
    Compare(Pixels, decoder, 0, labels, 1e-2, untrained, frozen: false);
}
// Whether it is steps that the start from scratch lacks, or labels.
Compare("from scratch, four times the steps", decoder, 0, 1_000, 1e-3, untrained, frozen: false, patience: 4);
// Shorter pre-trainings: how much to hide, and how deep the decoder.
foreach (var other in new[] { 0.5, 0.75, 0.9 }.Select(share => decoder with { MaskShare = share }).Concat(new[] { 3 }.Select(layers => decoder with { DecoderLayers = layers })))
{
    Lazy<MaskedAutoencoder> model = new(() =>
    {
        var created = Create(other);
        PreTrain(created, Short);
        return created;
    });
    Compare("linear, on frozen features", other, Short, 1_000, 1e-2, model, frozen: true);
}

MaskedAutoencoder Create(MaskedAutoencoderConfig decoder)
{
    random.manual_seed(17);
    return new(new VisionTransformer(config), decoder);
}

// AdamW, batches of 128, half of the images mirrored.
void PreTrain(MaskedAutoencoder model, int epochs)
{
    model.train();
    var batches = (int)(unlabelled.shape[0] / 128);
    for (var (step, optimizer) = (0, Optimizer(model, 0.95)); step < epochs * batches; step++)
    {
        using var scope = NewDisposeScope();
        var images = unlabelled[randint(unlabelled.shape[0], [128])];
        images = where(rand(128, 1, 1, 1) < 0.5, images, images.flip(3));
        var loss = model.call(images);
        Step(model, optimizer, loss, Rate(2e-3, step, epochs * batches));
        if (step % batches == batches - 1)
            Console.WriteLine($"{DateTime.Now:T}  mask {model.Config.MaskShare}, {model.Config.DecoderLayers} decoder blocks, epoch {(step + 1) / batches}: loss {loss.item<float>():F4}");
    }
    model.eval();
}

void Compare(string way, MaskedAutoencoderConfig of, int epochs, int labels, double first, Lazy<MaskedAutoencoder> start, bool frozen, int patience = 1)
{
    // What a linear layer on frozen features is given of the images that are looked at: the same in every run.
    Lazy<Tensor> known = new(() => Given(validation)), unseen = new(() => Given(test));
    Tensor Given(ImageSet set) => frozen ? Features(start.Value.encoder, FewLabels.Normalized(set)) : FewLabels.Normalized(set);
    var best = ExperimentLog.BestRate(first, rate => Run(rate, seed: 11, look: false)[0]);
    Console.WriteLine($"{way}, mask {of.MaskShare}, {of.DecoderLayers} decoder blocks, {epochs} epochs, {labels} labels: {ExperimentLog.Spread([.. seeds.Select(seed => Run(best, seed, look: true)[1])])} % at {best}");

    double[] Run(double rate, int seed, bool look) => log.Results($"{way};{of.MaskShare};{of.DecoderLayers};{epochs};{labels};{rate};{seed}", () =>
    {
        // Made outside of the scope, so that they last.
        var encoder = frozen || epochs > 0 ? start.Value.encoder : null;
        var (chosenBy, last) = (known.Value, look ? unseen.Value : null);
        using var scope = NewDisposeScope();
        var few = rest.RandomSplit(labels, seed).Aside;
        random.manual_seed(seed);
        nn.Module<Tensor, Tensor> model = way == Pixels ? nn.Sequential(("flat", nn.Flatten()), ("head", nn.Linear(28 * 28, 10)))
            : frozen ? nn.Linear(config.Width, 10) : Classifier(encoder);
        var pixels = FewLabels.Normalized(few);
        Tensor[] ways = [pixels, pixels.flip(3)];
        Learn(model, stack([.. frozen ? ways.Select(way => Features(encoder!, way)) : ways], 1), few.Labels, rate, patience * StepsFor(labels));
        return [FewLabels.Accuracy(model, chosenBy, validation.Labels), last is null ? double.NaN : FewLabels.Accuracy(model, last, test.Labels)];
    });
}

// A fresh model with ten classes, or the pre-trained one with a new head.
VisionTransformer Classifier(VisionTransformer? encoder)
{
    var vit = new VisionTransformer(config);
    if (encoder is not null)
        vit.load_state_dict(encoder.state_dict());
    vit.ResetClassifier(10);
    return vit;
}

// Inputs [N, 2, …]: each image as it is, and mirrored.
void Learn(nn.Module<Tensor, Tensor> model, Tensor inputs, Tensor labels, double rate, int steps)
{
    model.train();
    var count = inputs.shape[0];
    var batch = Math.Min(64, count);
    using var optimizer = Optimizer(model, 0.999);
    for (var step = 0; step < steps; step++)
    {
        using var scope = NewDisposeScope();
        var chosen = randperm(count)[..(int)batch];
        var loss = nn.functional.cross_entropy(model.call(inputs[chosen, randint(2, [batch])]), labels[chosen]);
        Step(model, optimizer, loss, Rate(rate, step, steps));
    }
    model.eval();
}

static int StepsFor(int labels) => labels switch { <= 10 => 60, <= 100 => 150, <= 1_000 => 250, _ => 450 };

static void Step(nn.Module model, TorchSharp.Modules.AdamW optimizer, Tensor loss, double rate)
{
    foreach (var group in optimizer.ParamGroups)
        group.LearningRate = rate;
    optimizer.zero_grad();
    loss.backward();
    nn.utils.clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
}

static TorchSharp.Modules.AdamW Optimizer(nn.Module model, double beta2) => optim.AdamW(model.named_parameters().Select(it =>
    new TorchSharp.Modules.AdamW.ParamGroup([it.parameter], beta2: beta2, weight_decay: Vit.Training.AdamW.Decays(it.name, it.parameter) ? 0.05 : 0)));

static double Rate(double peak, int step, int steps) => new Recipe { Epochs = 1, WarmUpEpochs = 0.1, LearningRate = peak }.LearningRateAt(step, steps);

static Tensor Features(VisionTransformer encoder, Tensor pixels)
{
    using var scope = NewDisposeScope();
    using var noGradients = no_grad();
    encoder.eval();
    return cat([.. pixels.split(500).Select(encoder.call)]).MoveToOuterDisposeScope();    // without a head, what it would read
}
