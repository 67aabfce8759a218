#:project ../../lib/Vit.Interactive/Vit.Interactive.csproj
#:property PublishAot=false

using TorchSharp;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Detection;
using Vit.Interactive;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// Notebook 18's experiment: clothes scattered over a canvas are found by queries that look at a ViT's tokens (DETR), by the
// same queries looking at a ConvNet's, and by query tokens inside the ViT (YOLOS).
//   OMP_NUM_THREADS=1 dotnet run data/experiments/detection.cs
// Writes detection.csv beside it, a line for each training; what stands there already is not trained again. Each design has
// its own learning rate: the one with the best mean average precision on the validation scenes with seed 1, from a row of
// rates that goes on until the best lies inside. With it the other seeds are trained. A seed draws the scenes, their order
// and the first weights. Then the first design is trained five times as long, at half its best rate, since the next higher
// one fails; it is kept in detection.safetensors. About twenty-five minutes on one quiet core. Names of designs may be given,
// and then only these are trained; "long" is the last training.

const int Scenes = 24_000, LongScenes = 128_000, BatchSize = 16, Queries = 16;
const double LongRate = 2e-3;
int[] seeds = [1, 2, 3];

// Garments for validation and for the test are in no scene of the training. Their numbers 1_001 and 1_002 are also those of two
// pools of seed 1, whose first scenes are laid out alike, with other garments: another pool is to be numbered otherwise.
var (rest, aside) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(5_000, seed: 0);
var validation = ScatteredClothes.Draw(aside, 500, seed: 1_001);
var test = ScatteredClothes.Draw(FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist), 1_000, seed: 1_002);

var encoder = new VisionTransformerConfig
{
    ImageHeight = ScatteredClothes.Side,
    ImageWidth = ScatteredClothes.Side,
    Channels = 1,
    PatchSize = 8,
    Layers = 3,
    Width = 64,
    MlpWidth = 128,
    Heads = 4,
    Classes = 0,
    Pooling = Pooling.Mean,
    NormBeforePooling = true,
    Positions = PositionKind.SinCos2D,
};
var decoder = new BoxDecoderConfig
{
    Queries = Queries,
    Classes = ScatteredClothes.ClassNames.Count,
    GridRows = encoder.GridRows,
    GridColumns = encoder.GridColumns,
    Width = 64,
    MlpWidth = 128,
    Heads = 4,
    Layers = 2,
};
var designs = new (string Name, Func<nn.Module<Tensor, IReadOnlyList<BoxPredictions>>> Create)[]
{
    ("ViT, queries", () => new Detector(encoder, decoder)),
    ("ConvNet, queries", () => new ConvDetector(16, decoder)),
    ("ViT, query tokens", () => new QueryTokens(encoder, decoder)),
};

var log = new ExperimentLog("detection.csv", "design;scenes;rate;seed;validation_map50;test_map50;test_map;test_map50_one_class");
ComputeDevice.TuneProcess();
foreach (var design in designs.Where(it => args.Length == 0 || args.Contains(it.Name)))
    ExperimentLog.Sweep(design.Name, 2e-3, seeds, (rate, seed) =>
        log.Results($"{design.Name};{Scenes};{rate};{seed}", () => Train(design.Create, Scenes, rate, seed)));
if (args.Length == 0 || args.Contains("long"))
    log.Results($"{designs[0].Name};{LongScenes};{LongRate};{seeds[0]}", () =>
        Train(designs[0].Create, LongScenes, LongRate, seeds[0], Path.Combine(ExperimentLog.Folder, "detection.safetensors")));

// Mean average precision on validation and test scenes.
double[] Train(Func<nn.Module<Tensor, IReadOnlyList<BoxPredictions>>> create, int count, double rate, int seed, string? weights = null)
{
    const int Pool = 2_000;
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    var model = create();
    var loss = new SetLoss();
    using var optimizer = new Vit.Training.AdamW(model, weightDecay: 0.05);
    var steps = count / BatchSize;
    model.train();
    Scenes? pool = null;
    for (var step = 0; step < steps; step++)
    {
        if (step * BatchSize % Pool == 0)
        {
            foreach (var tensor in new[] { pool?.Images, pool?.Labels, pool?.Boxes })
                tensor?.Dispose();
            pool = ScatteredClothes.Draw(rest, Pool, seed * 1_000 + step * BatchSize / Pool);
        }
        using var inner = NewDisposeScope();
        var some = pool!.Part(step * BatchSize % Pool, BatchSize);
        // The answers after every block are trained. 
        var total = model.call(some.Pixels()).Select(it => loss.Of(it, some.Labels, some.Boxes)).Aggregate((a, b) => a + b);
        optimizer.ZeroGrad();
        total.backward();
        optimizer.Step(ExperimentLog.RateAt(rate, (step + 1.0) / steps, warmUp: 0.05), clipNorm: 1);
        if (weights is not null && step % 500 == 499)
            Console.WriteLine($"{DateTime.Now:T}  step {step + 1} of {steps}, loss {total.item<float>():F3}");
    }
    model.eval();
    if (weights is not null)
        SafeTensors.Save(weights, model.state_dict().ToDictionary(it => it.Key, it => it.Value.to(float16)));
    var (known, unseen) = (Found(model, validation), Found(model, test));
    var (knownTruth, truth) = (ScoredBox.OfTruth(validation.Labels, validation.Boxes), ScoredBox.OfTruth(test.Labels, test.Boxes));
    static IEnumerable<ScoredBox> OneClass(IEnumerable<ScoredBox> boxes) => boxes.Select(box => box with { Label = 0 });
    return
    [
        AveragePrecision.Mean(known, knownTruth), AveragePrecision.Mean(unseen, truth),
        AveragePrecision.Mean(unseen, truth, AveragePrecision.CocoThresholds), AveragePrecision.Mean(OneClass(unseen), OneClass(truth)),
    ];
}

static ScoredBox[] Found(nn.Module<Tensor, IReadOnlyList<BoxPredictions>> model, Scenes scenes)
{
    const int Part = 100;
    using var scope = NewDisposeScope();
    using var noGradients = no_grad();
    return [.. Enumerable.Range(0, scenes.Count / Part).SelectMany(i => model.call(scenes.Part(i * Part, Part).Pixels())[^1].Read(firstImage: i * Part))];
}

// The rival: three convolutions with stride 2 lead to as many places as the ViT has patches, at as many multiplications.
sealed class ConvDetector : nn.Module<Tensor, IReadOnlyList<BoxPredictions>>
{
    readonly Sequential net;
    readonly LayerNorm norm;
    readonly BoxDecoder decoder;

    public ConvDetector(int width, BoxDecoderConfig config) : base(nameof(ConvDetector))
    {
        net = nn.Sequential(
            nn.Conv2d(1, width, 3, stride: 2, padding: 1, bias: false), nn.BatchNorm2d(width), nn.ReLU(),
            new BasicBlock(width, 2 * width, stride: 2), new BasicBlock(2 * width, config.Width, stride: 2));
        norm = nn.LayerNorm(config.Width, 1e-6);
        decoder = new BoxDecoder(config);
        RegisterComponents();
    }

    public override IReadOnlyList<BoxPredictions> forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = norm.call(net.call(images).flatten(2).transpose(1, 2));              // [B, N, D]
        return [.. decoder.call(tokens).Select(it => it.MoveToOuterDisposeScope())];
    }
}

// YOLOS (arXiv:2106.00666): the queries go through the encoder beside the patches; there is no decoder.
sealed class QueryTokens : nn.Module<Tensor, IReadOnlyList<BoxPredictions>>
{
    readonly VisionTransformer encoder;
    readonly Parameter anchor;
    readonly Linear class_head, box_hidden, box_head;

    public QueryTokens(VisionTransformerConfig config, BoxDecoderConfig decoder) : base(nameof(QueryTokens))
    {
        encoder = new VisionTransformer(config with { RegisterTokens = decoder.Queries });
        // They start where the decoder's queries do.
        using var start = new BoxDecoder(decoder);
        using (no_grad())
            encoder.reg_token!.copy_(start.query_pos);
        anchor = nn.Parameter(start.anchor.detach().clone());
        (class_head, box_hidden, box_head) = (nn.Linear(config.Width, decoder.Classes + 1), nn.Linear(config.Width, config.Width), nn.Linear(config.Width, 4));
        nn.init.zeros_(box_head.weight);
        nn.init.zeros_(box_head.bias);
        RegisterComponents();
    }

    public override IReadOnlyList<BoxPredictions> forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = encoder.ForwardFeatures(images).narrow(1, 0, anchor.shape[0]);        // [B, Q, D]
        var answers = new BoxPredictions(class_head.call(tokens), (anchor + box_head.call(box_hidden.call(tokens).relu())).sigmoid());
        return [answers.MoveToOuterDisposeScope()];
    }
}
