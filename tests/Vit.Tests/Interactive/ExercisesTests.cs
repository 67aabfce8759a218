using Vit.Interactive;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public sealed class ExercisesTests
{
    [Theory]
    [InlineData(0.25, 0.75, "Right: the ratio")]
    [InlineData(0.75, 0.25, "Not yet: the other way round")]
    [InlineData(0, 0, "Not yet: no weights")]
    [InlineData(1, 3, "Not yet: weights sum to 1")]
    [InlineData(0.5, 0.5, "Not yet: divide both")]
    public void Two_weights(double first, double second, string answer) => Assert.StartsWith(answer, Exercises.TwoWeights(first, second));

    [Fact]
    public void Causal_attention_is_told_from_each_mistake()
    {
        using var scope = NewDisposeScope();
        static Tensor Later() => ones(6, 6).triu(1).to(ScalarType.Bool);
        static Tensor Masked(Tensor scores, Tensor mask) => scores.masked_fill(mask, float.NegativeInfinity).softmax(-1);

        Says("Right:", s => Masked(s, Later()));
        Says("Not yet: every token still sees all", s => s.softmax(-1));
        Says("Not yet: the rows no longer sum to 1", s => s.softmax(-1).masked_fill(Later(), 0));
        Says("Not yet: a score of 0", s => s.masked_fill(Later(), 0).softmax(-1));
        Says("Not yet: the mask lies on the wrong side", s => Masked(s, Later().t()));
        Says("Not yet: some row has nothing left", s => Masked(s, ones(6, 6).triu(0).to(ScalarType.Bool)));
        Says("Not yet: which scores", s => s);
        Assert.Equal("Not yet: the shape is [6, 6], it should be [T, d] as that of the values.", Exercises.Causal((q, k, _) => q.matmul(k.t())));

        static void Says(string answer, Func<Tensor, Tensor> weights) =>
            Assert.StartsWith(answer, Exercises.Causal((q, k, v) => weights(q.matmul(k.t()) / Math.Sqrt(q.shape[1])).matmul(v)));
    }

    [Fact]
    public void Halves_of_the_keys_are_joined()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Exercises.JoinHalves((a, b) => Joined(a, b, (own, m) => (own - m).exp())));
        Assert.StartsWith("Not yet: the two sums of exponentials are added as they are", Exercises.JoinHalves((a, b) => (maximum(a.M, b.M), a.L + b.L, a.O + b.O)));
        Assert.StartsWith("Not yet: m should be the highest", Exercises.JoinHalves((a, b) => Joined(a, b, (own, m) => (own - m).exp()) with { M = a.M }));
        Assert.StartsWith("Not yet: m and ℓ are right, o is not", Exercises.JoinHalves((a, b) => Joined(a, b, (own, m) => (own - m).exp()) with { O = a.O + b.O }));
        Assert.StartsWith("Not yet: the half with the lower scores", Exercises.JoinHalves((a, b) => Joined(a, b, (own, m) => (m - own).exp())));
        Assert.StartsWith("Not yet: m is right, ℓ is not", Exercises.JoinHalves((a, b) => Joined(a, b, (_, m) => m * 0)));
        Assert.Equal("Not yet: the shape is [5, 2], it should be [T, 1] for m.", Exercises.JoinHalves((a, b) => (cat([a.M, b.M], 1), a.L, a.O)));

        static (Tensor M, Tensor L, Tensor O) Joined((Tensor M, Tensor L, Tensor O) a, (Tensor M, Tensor L, Tensor O) b, Func<Tensor, Tensor, Tensor> factor)
        {
            var m = maximum(a.M, b.M);
            var (ofA, ofB) = (factor(a.M, m), factor(b.M, m));
            return (m, ofA * a.L + ofB * b.L, ofA * a.O + ofB * b.O);
        }
    }

    [Fact]
    public void Cost_of_windows()
    {
        Says("Right:", (N, D, side) => 2 * N * side * side * D);
        Says("Not yet: this is global attention", (N, D, _) => 2 * N * N * D);
        Says("Not yet: that is one window", (_, D, side) => 2 * side * side * side * side * D);
        Says("Not yet: how many tokens does a window hold", (N, D, side) => 2 * N * side * D);
        Says("Not yet: attention has two products", (N, D, side) => N * side * side * D);
        Says("Not yet: 346,816,512 for N = 3136", (_, _, _) => 0);

        static void Says(string answer, Func<long, long, long, long> attention) =>
            Assert.StartsWith(answer, Exercises.CostOfWindows((N, D, side) => 12 * N * D * D + attention(N, D, side)));
    }

    [Fact]
    public void A_grey_embedding()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Exercises.GreyEmbedding(weight => weight.sum([1], keepdim: true)));
        Assert.StartsWith("Not yet: the tokens come out three times too small", Exercises.GreyEmbedding(weight => weight.mean([1], keepdim: true)));
        Assert.StartsWith("Not yet: this is one channel's part", Exercises.GreyEmbedding(weight => weight.narrow(1, 1, 1)));
        Assert.StartsWith("Not yet: write down", Exercises.GreyEmbedding(weight => weight.amax([1], keepdim: true)));
        Assert.StartsWith("Not yet: the shape is [8, 4, 4]", Exercises.GreyEmbedding(weight => weight.sum([1])));
    }

    [Fact]
    public void Layer_wise_rates()
    {
        Says("Right:", (name, layers) => Top(name) ? 0 : Block(name) is int block ? layers - block : layers + 1);
        Says("Not yet: all blocks learn at one rate", (_, _) => 0);
        Says("Not yet: the first block should learn slowest", (name, layers) => Top(name) ? 0 : Block(name) is int block ? block + 1 : 0);
        Says("Not yet: norm.weight should get the full rate", (name, layers) => name.StartsWith("head") ? 0 : Block(name) is int block ? layers - block : layers + 1);
        Says("Not yet: the last block gets the full rate", (name, layers) => Top(name) ? 0 : Block(name) is int block ? layers - 1 - block : layers);
        Says("Not yet: blocks.10 is taken for block 1", (name, layers) => Top(name) ? 0 : Block(name) is int block ? layers - (block is 10 ? 1 : block) : layers + 1);
        Says("Not yet: cls_token gets what the first block gets", (name, layers) => Top(name) ? 0 : Block(name) is int block ? layers - block : layers);
        Says("Not yet: pos_embed gets 1 of the rate", (name, layers) => Top(name) || name == "pos_embed" ? 0 : Block(name) is int block ? layers - block : layers + 1);
        Says("Not yet: the ends are right, block 3 of 6 is not", (name, layers) => Top(name) ? 0 : Block(name) is int block ? block is 3 ? 1 : layers - block : layers + 1);

        static bool Top(string name) => name.StartsWith("head") || name.StartsWith("norm");
        static int? Block(string name) => name.StartsWith("blocks.") ? int.Parse(name.Split('.')[1]) : null;
        static void Says(string answer, Func<string, int, int> steps) =>
            Assert.StartsWith(answer, Exercises.LayerWiseRates((name, layers, decay) => Math.Pow(decay, steps(name, layers))));
    }

    [Fact]
    public void The_class_tokens_rollout()
    {
        using var scope = NewDisposeScope();
        static Tensor Residual(Tensor block) => (block.mean([1]) + eye(block.shape[^1])) / 2;
        static Tensor Row(IEnumerable<Tensor> blocks, Func<Tensor, Tensor> step, int of = 0) =>
            blocks.Aggregate(eye(5).expand(3, -1, -1), (product, block) => product.bmm(step(block))).select(1, of);
        Assert.StartsWith("Right:", Exercises.ClassRollout(weights => Row(weights.Reverse(), Residual)));
        Assert.StartsWith("Right:", Exercises.ClassRollout(weights => Vit.Inspection.Attention.Rollout(weights).select(1, 0)));
        Assert.StartsWith("Not yet: the blocks come in the wrong order", Exercises.ClassRollout(weights => Row(weights, Residual)));
        Assert.StartsWith("Not yet: this follows attention alone", Exercises.ClassRollout(weights => Row(weights.Reverse(), block => block.mean([1]))));
        Assert.StartsWith("Not yet: this is the last block alone", Exercises.ClassRollout(weights => weights[^1].mean([1]).select(1, 0)));
        Assert.StartsWith("Not yet: a row should sum to 1", Exercises.ClassRollout(weights => Row(weights.Reverse(), block => block.mean([1]) + eye(5))));
        Assert.StartsWith("Not yet: the rows sum to 1, but", Exercises.ClassRollout(weights => Row(weights.Reverse(), Residual, of: 1)));
        Assert.StartsWith("Not yet: the shape is [3, 5, 5]", Exercises.ClassRollout(Vit.Inspection.Attention.Rollout));
    }

    [Fact]
    public void Entropy_of_heads()
    {
        using var scope = NewDisposeScope();
        static Tensor Of(Tensor weights) => -(weights * weights.clamp(1e-12).log()).sum(-1);
        Assert.StartsWith("Right:", Exercises.EntropyOfHeads(weights => Of(weights).mean([0, 2])));
        Assert.StartsWith("Not yet: two of the heads are right", Exercises.EntropyOfHeads(weights => Of(weights)[0].mean([1])));
        Assert.StartsWith("Not yet: the sign", Exercises.EntropyOfHeads(weights => -Of(weights).mean([0, 2])));
        Assert.StartsWith("Not yet: this is counted in bits", Exercises.EntropyOfHeads(weights => Of(weights).mean([0, 2]) / Math.Log(2)));
        Assert.StartsWith("Not yet: one of the heads has a weight of 0", Exercises.EntropyOfHeads(weights => -(weights * weights.log()).sum(-1).mean([0, 2])));
        Assert.StartsWith("Not yet: a head that takes from all", Exercises.EntropyOfHeads(weights => zeros(3)));
        Assert.StartsWith("Not yet: the shape is [3, 8]", Exercises.EntropyOfHeads(weights => Of(weights).mean([0])));
    }

    [Fact]
    public void Patches()
    {
        using var scope = NewDisposeScope();
        Tensor Pooled(Tensor images, Tensor of) => nn.functional.interpolate(nn.functional.avg_pool2d(of, 16), scale_factor: [16, 16]);
        Assert.StartsWith("Right:", Exercises.Mosaic((images, _) => Pooled(images, images)));
        Assert.StartsWith("Not yet: the image has come back", Exercises.Mosaic((images, _) => images));
        Assert.StartsWith("Not yet: the mean of the whole image is right", Exercises.Mosaic((images, _) => Pooled(images, images.mean([1], keepdim: true).expand(1, 3, 224, 224))));
        Assert.StartsWith("Not yet: the mean of the whole image changed", Exercises.Mosaic((images, _) => images * 0.5));
        Assert.Equal("Not yet: the shape is [1, 3].", Exercises.Mosaic((images, _) => images.mean([2, 3])));

        Assert.StartsWith("Right:", Exercises.CutOverlapping((images, P, S) => nn.functional.unfold(images, kernel_size: P, stride: S).transpose(1, 2)));
        Assert.StartsWith("Not yet: 196 patches, and none overlaps", Exercises.CutOverlapping((images, P, _) => Vit.Layers.Patches.Cut(images, P)));
        Assert.StartsWith("Not yet: the shape is right, the order is not", Exercises.CutOverlapping((images, P, S) => nn.functional.unfold(images, kernel_size: P, stride: S).transpose(1, 2).flip(2)));
    }

    [Fact]
    public void Patch_embedding()
    {
        using var scope = NewDisposeScope();
        Says("Right:", 1 / 768.0, 1 / 256.0);
        Says("Not yet: number 0 is a sum", 1, 0);
        Says("Not yet: number 0 is not the mean", 0, 0);
        Says("Not yet: number 1 is a difference of sums", 1 / 768.0, 1);
        Says("Not yet: number 1 has its sign", 1 / 768.0, -1 / 256.0);
        Says("Not yet: a channel of the patch has 256", 1 / 768.0, 1 / 768.0);
        Says("Not yet: in number 1", 1 / 768.0, 0);

        Assert.StartsWith("Right:", Exercises.ToConvolution((weight, C, P) => weight.reshape(-1, P, P, C).permute(0, 3, 1, 2)));
        Assert.StartsWith("Not yet: rows and columns", Exercises.ToConvolution((weight, C, P) => weight.reshape(-1, P, P, C).permute(0, 3, 2, 1)));
        Assert.StartsWith("Not yet: reshape alone", Exercises.ToConvolution((weight, C, P) => weight.reshape(-1, C, P, P)));

        static void Says(string answer, double mean, double difference) => Assert.StartsWith(answer, Exercises.HandmadeFilters(() =>
            stack([full([3, 16, 16], mean), tensor(new[] { difference, 0, -difference }).reshape(3, 1, 1).expand(3, 16, 16)]).to(float32)));
    }

    [Fact]
    public void Class_token()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Exercises.WithRegisters((token, registers, patches) => cat([token.expand(5, -1, -1), registers.expand(5, -1, -1), patches], 1)));
        Assert.StartsWith("Not yet: cat needs", Exercises.WithRegisters((token, registers, patches) => cat([token, registers, patches], 1)));
        Assert.StartsWith("Not yet: the class token stands first", Exercises.WithRegisters((token, registers, patches) => cat([registers.expand(5, -1, -1), token.expand(5, -1, -1), patches], 1)));
        Assert.StartsWith("Not yet: the shape is [5, 6, 3]", Exercises.WithRegisters((_, _, patches) => patches));

        Pool("Right:", (x, w) => (x * (w / 4).softmax(1).unsqueeze(2)).sum([1]));
        Pool("Not yet: divide by √D", (x, w) => (x * w.softmax(1).unsqueeze(2)).sum([1]));
        Pool("Not yet: the softmax goes over", (x, w) => (x * (w / 4).softmax(0).unsqueeze(2)).sum([1]));
        Pool("Not yet: this is the mean", (x, _) => x.mean([1]));

        static void Pool(string answer, Func<Tensor, Tensor, Tensor> pool) => Assert.StartsWith(answer, Exercises.AttentionPool((x, q) => pool(x, x.matmul(q))));
    }

    [Fact]
    public void Positions()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Place(i => (i / 9, i % 9)));
        Assert.StartsWith("Not yet: row and column are exchanged", Place(i => (i % 9, i / 9)));
        Assert.StartsWith("Not yet: a row of the grid has", Place(i => (i / 5, i % 5)));
        Assert.Equal("Not yet: 1 of 45 are right.", Place(_ => (0, 0)));
        static string Place(Func<long, (long, long)> place) => Exercises.Locate((table, _, vector) => place((table - vector).norm(1).argmin().item<long>()));

        Assert.StartsWith("Right:", Exercises.Factorised((rows, columns) => cat([columns.repeat(3, 1), rows.repeat_interleave(5, 0)], 1)));
        Assert.StartsWith("Not yet: the column's half", Exercises.Factorised((rows, columns) => cat([rows.repeat_interleave(5, 0), columns.repeat(3, 1)], 1)));
        Assert.StartsWith("Not yet: place i", Exercises.Factorised((rows, columns) => cat([columns.repeat_interleave(3, 0), rows.repeat(5, 1)], 1)));
        Assert.StartsWith("Not yet: tables of 3 rows and of 5 columns", Exercises.Factorised((rows, columns) => cat([columns, rows], 1)));
    }

    [Fact]
    public void Heads()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Exercises.WithoutHead((heads, U, silenced) => cat([.. heads.Select((x, i) => i == silenced ? zeros_like(x) : x)], 1).matmul(U)));
        Assert.StartsWith("Not yet: all heads still speak", Exercises.WithoutHead((heads, U, _) => cat(heads, 1).matmul(U)));
        Assert.StartsWith("Not yet: only the silenced head", Exercises.WithoutHead((heads, U, silenced) => heads[silenced].matmul(U.narrow(0, silenced * 2, 2))));
        Assert.StartsWith("Not yet: the results are right", Exercises.WithoutHead((heads, U, silenced) =>
        {
            var kept = heads[silenced].clone();
            heads[silenced].zero_();
            var result = cat(heads, 1).matmul(U);
            if (silenced < 2)
                heads[silenced].copy_(kept);
            return result;
        }));

        Assert.StartsWith("Right:", Exercises.ReorderQkv((weight, h) => weight.reshape(h, 3, -1, weight.shape[1]).transpose(0, 1).reshape(weight.shape)));
        Assert.StartsWith("Not yet: this is the order as it came", Exercises.ReorderQkv((weight, _) => weight));
        Assert.StartsWith("Not yet: these are whole rows", Exercises.ReorderQkv((weight, _) => weight.flip(0)));
        Assert.StartsWith("Not yet: rows must move as a whole", Exercises.ReorderQkv((weight, _) => weight.t().reshape(weight.shape)));
    }

    [Fact]
    public void Blocks()
    {
        using var scope = NewDisposeScope();
        static Tensor Root(Tensor z, double epsilon) => (z.square().mean([-1], keepdim: true) + epsilon).sqrt();
        Assert.StartsWith("Right:", Exercises.RmsNorm((z, weight, epsilon) => z / Root(z, epsilon) * weight));
        Assert.StartsWith("Not yet: this is LayerNorm", Exercises.RmsNorm((z, weight, epsilon) => nn.functional.layer_norm(z, [8], weight, null, epsilon)));
        Assert.StartsWith("Not yet: the scale is missing", Exercises.RmsNorm((z, _, epsilon) => z / Root(z, epsilon)));
        Assert.StartsWith("Not yet: the mean of the squares", Exercises.RmsNorm((z, weight, epsilon) => z / (z.square().sum([-1], keepdim: true) + epsilon).sqrt() * weight));
        Assert.StartsWith("Not yet: each token has its own root", Exercises.RmsNorm((z, weight, epsilon) => z / (z.square().mean() + epsilon).sqrt() * weight));
        Assert.StartsWith("Not yet: ordinary tokens are right", Exercises.RmsNorm((z, weight, epsilon) => z / (Root(z, 0) + epsilon) * weight));

        Assert.StartsWith("Right:", Parallel((block, z, n) => z + block.attn.forward(n) + block.mlp.forward(n)));
        Assert.StartsWith("Not yet: this is the usual block", Parallel((block, z, _) => block.forward(z)));
        Assert.StartsWith("Not yet: where is the residual", Parallel((block, _, n) => block.attn.forward(n) + block.mlp.forward(n)));
        Assert.StartsWith("Not yet: the tokens are added once", Parallel((block, z, n) => z + block.attn.forward(n) + z + block.mlp.forward(n)));
        Assert.StartsWith("Not yet: there is one norm", Parallel((block, z, n) => z + block.attn.forward(n) + block.mlp.forward(block.norm2.forward(z))));
        Assert.StartsWith("Not yet: both read", Parallel((block, z, _) => z + block.attn.forward(z) + block.mlp.forward(z)));
        Assert.StartsWith("Not yet: the feed-forward must not wait", Parallel((block, z, n) => z + block.attn.forward(n) + block.mlp.forward(block.norm1.forward(z + block.attn.forward(n)))));
        static string Parallel(Func<EncoderBlock, Tensor, Tensor, Tensor> answer) => Exercises.ParallelBlock((block, z) => answer(block, z, block.norm1.forward(z)));
    }

    [Fact]
    public void The_whole_model()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith("Right:", Exercises.MeanPool((tokens, norm) => norm.forward(tokens.mean([1]))));
        Assert.StartsWith("Not yet: the norm comes after", Exercises.MeanPool((tokens, norm) => norm.forward(tokens).mean([1])));
        Assert.StartsWith("Not yet: the norm is missing", Exercises.MeanPool((tokens, _) => tokens.mean([1])));
        Assert.StartsWith("Not yet: this still reads", Exercises.MeanPool((tokens, norm) => norm.forward(tokens.select(1, 0))));
        Assert.Equal("Not yet: the shape is [2, 16, 48], it should be [B, D] = [2, 48].", Exercises.MeanPool((tokens, norm) => norm.forward(tokens)));

        const double Block = 12_596_224, All = 304_326_632;    // D = 1024, M = 4096; the sum stands in the tests of the paper's code
        Assert.StartsWith("Right: 99.34 %", Exercises.ShareOfTheBlocks(24 * Block / All));
        Assert.StartsWith("Not yet: the two norms", Exercises.ShareOfTheBlocks(24 * (Block - 4096) / All));
        Assert.StartsWith("Not yet: the last norm", Exercises.ShareOfTheBlocks((24 * Block + 2048) / All));
        Assert.StartsWith("Not yet: a share lies", Exercises.ShareOfTheBlocks(0));
        Assert.StartsWith("Not yet: which rows", Exercises.ShareOfTheBlocks(0.5));
    }

    [Fact]
    public void Training()
    {
        using var scope = NewDisposeScope();
        static Tensor Asked(Tensor logits, Tensor labels, double right, double other)
        {
            var asked = full_like(logits, other).scatter_(1, labels.unsqueeze(1), full(labels.shape[0], 1, right));
            return -(asked * logits.log_softmax(1)).sum([1]).mean();
        }
        Assert.StartsWith("Right:", Exercises.SmoothedLoss((logits, labels, e) => Asked(logits, labels, 1 - e + e / 10, e / 10)));
        Assert.StartsWith("Not yet: this is the loss without", Exercises.SmoothedLoss((logits, labels, _) => Asked(logits, labels, 1, 0)));
        Assert.StartsWith("Not yet: the other classes", Exercises.SmoothedLoss((logits, labels, e) => Asked(logits, labels, 1 - e, 0)));
        Assert.StartsWith("Not yet: each class is asked", Exercises.SmoothedLoss((logits, labels, e) => Asked(logits, labels, 1, e)));
        Assert.StartsWith("Not yet: the ε is shared", Exercises.SmoothedLoss((logits, labels, e) => Asked(logits, labels, 1 - e, e / 9)));
        Assert.StartsWith("Not yet: for one image", Exercises.SmoothedLoss((logits, labels, _) => Asked(logits, labels, 0.5, 0)));
        Assert.StartsWith("Not yet: the shape is [6]", Exercises.SmoothedLoss((logits, labels, _) => logits.select(1, 0)));

        Assert.StartsWith("Right:", Exercises.AccuracyByClass(c => c.diag().to(float64) / c.sum([1])));
        Assert.StartsWith("Not yet: this is how often a prediction", Exercises.AccuracyByClass(c => c.diag().to(float64) / c.sum([0])));
        Assert.StartsWith("Not yet: over all images", Exercises.AccuracyByClass(c => c.diag().to(float64) / c.sum()));
        Assert.StartsWith("Not yet: these are numbers", Exercises.AccuracyByClass(c => c.diag()));
        Assert.StartsWith("Not yet: where do", Exercises.AccuracyByClass(_ => zeros(3)));
        Assert.StartsWith("Not yet: the shape is [10]", Exercises.AccuracyByClass(_ => zeros(10)));
    }

    [Fact]
    public void Comparisons()
    {
        static double Deviation(IEnumerable<double> values, int less) =>
            Math.Sqrt(values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Count() - less));
        Assert.StartsWith("Right:", Paired(d => d, d => Deviation(d, 1)));
        Assert.StartsWith("Not yet: the sign", Paired(d => d.Select(x => -x), d => Deviation(d, 1)));
        Assert.StartsWith("Not yet: the mean is", Paired(d => d.Select(_ => 0.0), d => Deviation(d, 1)));
        Assert.StartsWith("Not yet: a standard deviation", Paired(d => d, d => Deviation(d, 0)));
        Assert.StartsWith("Not yet: this is the standard error", Paired(d => d, d => Deviation(d, 1) / Math.Sqrt(5)));
        Assert.StartsWith("Not yet: this is the variance", Paired(d => d, d => Math.Pow(Deviation(d, 1), 2)));
        Assert.StartsWith("Not yet: this is half of the range", Paired(d => d, d => (d.Max() - d.Min()) / 2));
        Assert.StartsWith("Not yet: the mean is right", Paired(d => d, _ => 0));
        Assert.StartsWith("Not yet: so one compares two samples", Exercises.PairedDifference((before, after) =>
            (after.Average() - before.Average(), Math.Sqrt(Math.Pow(Deviation(before, 1), 2) + Math.Pow(Deviation(after, 1), 2)))));
        static string Paired(Func<double[], IEnumerable<double>> mean, Func<double[], double> deviation) => Exercises.PairedDifference((before, after) =>
        {
            var differences = after.Zip(before, (a, b) => a - b).ToArray();
            return (mean(differences).Average(), deviation(differences));
        });

        Assert.StartsWith("Right:", Exercises.NextRate((rates, accuracies) => Next(rates, accuracies, sorted: true)));
        Assert.StartsWith("Not yet: you stop at the edge", Exercises.NextRate((_, _) => null));
        Assert.StartsWith("Not yet: you go on", Exercises.NextRate((rates, _) => 2 * rates.Max()));
        Assert.StartsWith("Not yet: the rates stand in the order", Exercises.NextRate((rates, accuracies) => Next(rates, accuracies, sorted: false)));
        Assert.StartsWith("Not yet: this rate was tried", Exercises.NextRate((rates, accuracies) => Next(rates, accuracies, sorted: true) is null ? null : rates[0]));
        Assert.StartsWith("Not yet: too large", Exercises.NextRate((rates, accuracies) => Next(rates, accuracies, sorted: true) is null ? null : 1));
        Assert.StartsWith("Not yet: too small", Exercises.NextRate((rates, accuracies) => Next(rates, accuracies, sorted: true) is null ? null : 1e-9));
        static double? Next(double[] rates, double[] accuracies, bool sorted)
        {
            var best = rates[Array.IndexOf(accuracies, accuracies.Max())];
            return best == (sorted ? rates.Min() : rates[0]) ? best / 2 : best == (sorted ? rates.Max() : rates[^1]) ? best * 2 : null;
        }
    }

    [Fact]
    public void The_notebooks_random_numbers_stay_as_they_are()
    {
        random.manual_seed(1);
        using var expected = randn(3);
        random.manual_seed(1);
        Exercises.Causal((q, _, _) => q.clone());
        Exercises.ParallelBlock((_, z) => z);
        using var found = randn(3);
        Assert.True(expected.equal(found).all().item<bool>());
    }

    [Fact]
    public void Shifted_windows()
    {
        static string Bands(Func<int, int, int, int> band) =>
            Exercises.ShiftedWindows((a, b, M, shift) => band(a.Row, M, shift) == band(b.Row, M, shift) && band(a.Column, M, shift) == band(b.Column, M, shift));
        Assert.StartsWith("Right:", Bands((i, M, shift) => (int)Math.Floor((i - shift) / (double)M)));
        Assert.StartsWith("Not yet: these are the windows before", Bands((i, M, _) => i / M));
        Assert.StartsWith("Not yet: the first band is too wide", Bands((i, M, shift) => (i - shift) / M));
        Assert.StartsWith("Not yet: your windows lie up", Bands((i, M, shift) => (i + shift) / M));
        Assert.StartsWith("Not yet: rows and columns both", Exercises.ShiftedWindows((a, b, M, shift) => (a.Row - shift + M) / M == (b.Row - shift + M) / M));
        Assert.StartsWith("Not yet: the first patches and the last", Bands((i, M, shift) => (i - shift + 8) % 8 / M));
        Assert.StartsWith("Not yet: a patch always sees itself", Exercises.ShiftedWindows((_, _, _, _) => false));
        Assert.StartsWith("Not yet: on 8 × 8 patches", Exercises.ShiftedWindows((_, _, _, _) => true));

        using var scope = NewDisposeScope();
        static Tensor Unmerged(Tensor squares, long[] order)
        {
            var (B, rows, columns, D) = (squares.shape[0], squares.shape[1], squares.shape[2], squares.shape[3] / 4);
            return squares.reshape(B, rows, columns, 2, 2, D).permute(order).reshape(B, 2 * rows, 2 * columns, D);
        }
        Assert.StartsWith("Right:", Exercises.Unmerged(squares => Unmerged(squares, [0, 1, 4, 2, 3, 5])));
        Assert.StartsWith("Not yet: right and down are swapped", Exercises.Unmerged(squares => Unmerged(squares, [0, 1, 3, 2, 4, 5])));
        Assert.StartsWith("Not yet: the shape is right, but reshape", Exercises.Unmerged(squares => Unmerged(squares, [0, 1, 2, 3, 4, 5])));
        Assert.StartsWith("Not yet: the shape is right, the patches", Exercises.Unmerged(squares => Unmerged(squares, [0, 2, 4, 1, 3, 5]).flip(1)));
        Assert.Equal("Not yet: the shape is [2, 2, 2, 4], it should be [2, 4, 4, 1].", Exercises.Unmerged(squares => squares));
    }

    [Fact]
    public void Distillation()
    {
        using var scope = NewDisposeScope();
        static Tensor Apart(Tensor s, Tensor t, double tau) => (s / tau).softmax(0) - (t / tau).softmax(0);
        Assert.StartsWith("Right:", Exercises.SoftGradient((s, t, tau) =>
        {
            var student = s.requires_grad_();
            var (p, logP, logQ) = ((t / tau).softmax(0), (t / tau).log_softmax(0), (student / tau).log_softmax(0));
            (tau * tau * (p * (logP - logQ)).sum()).backward();
            return student.grad!;
        }));
        Assert.StartsWith("Not yet: it is zero only", Exercises.SoftGradient((s, _, _) => zeros_like(s)));
        Assert.StartsWith("Not yet: the sign", Exercises.SoftGradient((s, t, tau) => -tau * Apart(s, t, tau)));
        Assert.StartsWith("Not yet: the logits are divided by τ", Exercises.SoftGradient((s, t, tau) => tau * tau * Apart(s, t, tau)));
        Assert.StartsWith("Not yet: this is the gradient without", Exercises.SoftGradient((s, t, tau) => Apart(s, t, tau) / tau));
        Assert.StartsWith("Not yet: at τ = 1 it is right", Exercises.SoftGradient(Apart));
        Assert.StartsWith("Not yet: begin at τ = 1", Exercises.SoftGradient((s, _, _) => s));
        Assert.StartsWith("Not yet: the shape is [1]", Exercises.SoftGradient((s, _, _) => s[..1]));

        Assert.StartsWith("Right:", Exercises.MixedHeads((c, d, w) => (1 - w) * c.softmax(1) + w * d.softmax(1)));
        Assert.StartsWith("Not yet: this mixes the logits", Exercises.MixedHeads((c, d, w) => ((1 - w) * c + w * d).softmax(1)));
        Assert.StartsWith("Not yet: the weight belongs", Exercises.MixedHeads((c, d, w) => w * c.softmax(1) + (1 - w) * d.softmax(1)));
        Assert.StartsWith("Not yet: the weight is not used", Exercises.MixedHeads((c, d, _) => (c.softmax(1) + d.softmax(1)) / 2));
        Assert.StartsWith("Not yet: one of the heads", Exercises.MixedHeads((c, _, _) => c.softmax(1)));
        Assert.StartsWith("Not yet: each image's", Exercises.MixedHeads((c, d, w) => (1 - w) * c.softmax(0) + w * d.softmax(0)));
        Assert.StartsWith("Not yet: each row is", Exercises.MixedHeads((c, d, _) => (c * d).softmax(1)));
        Assert.StartsWith("Not yet: each row must", Exercises.MixedHeads((c, d, _) => c + d));
        Assert.StartsWith("Not yet: the shape is [6]", Exercises.MixedHeads((c, _, _) => c[0]));
    }

    [Fact]
    public void Convolutions()
    {
        static int Field((int Kernel, int Stride)[] layers, Func<int, int, int> next)
        {
            var (field, strides) = (1, 1);
            foreach (var (kernel, stride) in layers)
                (field, strides) = (field + (kernel - 1) * strides, next(strides, stride));
            return field;
        }
        Assert.StartsWith("Right", Exercises.ReceptiveField(layers => Field(layers, (before, stride) => before * stride)));
        Assert.StartsWith("Not yet: for 3 × 3 with stride 1 you say 1", Exercises.ReceptiveField(_ => 1));
        Assert.StartsWith("Not yet: for no layer at all", Exercises.ReceptiveField(_ => 0));
        Assert.Contains("leaves the strides out", Exercises.ReceptiveField(layers => Field(layers, (_, _) => 1)));
        Assert.Contains("is too much", Exercises.ReceptiveField(layers => layers.Length == 0 ? 1 : layers[0].Stride * (Field(layers, (before, stride) => before * stride) - 1) + 1));
        Assert.Contains("they multiply", Exercises.ReceptiveField(layers => Field(layers, (_, stride) => stride)));
        Assert.Contains("Follow one output back", Exercises.ReceptiveField(layers => layers.Any(layer => layer.Stride > 1) ? 100 : Field(layers, (_, _) => 1)));

        using var scope = NewDisposeScope();
        static Tensor Moved(Tensor images, int down, int right) =>
            nn.functional.pad(images, [right, -right, down, -down]);
        Assert.StartsWith("Right:", Exercises.Moved(Moved));
        Assert.StartsWith("Not yet: nothing has moved", Exercises.Moved((images, _, _) => images));
        Assert.StartsWith("Not yet: what leaves on one side", Exercises.Moved((images, down, right) => images.roll([down, right], [2, 3])));
        Assert.StartsWith("Not yet: it moves the other way", Exercises.Moved((images, down, right) => Moved(images, -down, -right)));
        Assert.StartsWith("Not yet: rows and columns are swapped", Exercises.Moved((images, down, right) => Moved(images, right, down)));
        Assert.StartsWith("Not yet: down and right it works; with -2 and 0", Exercises.Moved((images, down, right) => Moved(images, Math.Max(0, down), Math.Max(0, right)) * 1.01 - Moved(images, Math.Max(0, down), Math.Max(0, right)) * (down < 0 || right < 0 ? 0.5 : 0.01)));
        Assert.StartsWith("Not yet: 1 down and 0 right", Exercises.Moved((images, _, _) => images * 0.5));
        Assert.StartsWith("Not yet: the shape is [2, 3, 5, 8]", Exercises.Moved((images, _, _) => images[.., .., 1..]));
    }

    [Fact]
    public void Rounding_to_bfloat16()
    {
        static float Cut(float x, uint added) => BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(x) + added) & 0xffff0000);
        Assert.StartsWith("Right", Exercises.BFloat16(x => Cut(x, 0x7fff + (BitConverter.SingleToUInt32Bits(x) >> 16 & 1))));
        Assert.Contains("rounds to", Exercises.BFloat16(x => Cut(x, 0)));
        Assert.Contains("1.00390625 lies in the middle", Exercises.BFloat16(x => Cut(x, 0x8000)));
        Assert.Contains("1.01171875 lies in the middle", Exercises.BFloat16(x => Cut(x, 0x7fff)));
    }

    [Fact]
    public void Parts_of_a_batch()
    {
        Assert.StartsWith("Right", Exercises.Accumulation((n, all) => (double)n / all));
        Assert.StartsWith("Not yet: parts may have different sizes", Exercises.Accumulation((_, _) => 0.5));
        Assert.StartsWith("Not yet: parts of 4, 4 and 2 images together would count 3 times", Exercises.Accumulation((_, _) => 1));
    }

    [Fact]
    public void Masked_patches_in_order()
    {
        using var scope = NewDisposeScope();
        static Tensor Appended(Tensor seen, Tensor mask, Tensor order) => cat([seen, mask.expand(seen.shape[0], order.shape[1] - seen.shape[1], -1)], 1);
        static Tensor By(Tensor tokens, Tensor places) => tokens.gather(1, places.unsqueeze(-1).expand(-1, -1, tokens.shape[2]));
        Assert.StartsWith("Right", Exercises.RestoredOrder((seen, mask, order) => By(Appended(seen, mask, order), order.argsort(1))));
        Assert.StartsWith("Not yet: the tokens still stand", Exercises.RestoredOrder(Appended));
        Assert.StartsWith("Not yet: this applies the order once more", Exercises.RestoredOrder((seen, mask, order) => By(Appended(seen, mask, order), order)));
        Assert.StartsWith("Not yet: some tokens", Exercises.RestoredOrder((seen, mask, order) => Appended(seen, mask, order) * 0));
        Assert.StartsWith("Not yet: the shape is [2, 3, 4]", Exercises.RestoredOrder((seen, _, _) => seen));
    }

    [Fact]
    public void Normalized_patches()
    {
        using var scope = NewDisposeScope();
        static Tensor Mean(Tensor x) => x.mean([-1], keepdim: true);
        Assert.StartsWith("Right", Exercises.NormalizedPatches(x => (x - Mean(x)) / (x.var(-1, keepdim: true) + 1e-6).sqrt()));
        Assert.StartsWith("Not yet: a patch of one colour", Exercises.NormalizedPatches(x => (x - Mean(x)) / x.var(-1, keepdim: true).sqrt()));
        Assert.StartsWith("Not yet: the unbiased", Exercises.NormalizedPatches(x => (x - Mean(x)) / (x.var(-1, unbiased: false, keepdim: true) + 1e-6).sqrt()));
        Assert.StartsWith("Not yet: this is the mean of all", Exercises.NormalizedPatches(x => x - x.mean()));
        Assert.StartsWith("Not yet: the mean is taken off", Exercises.NormalizedPatches(x => x - Mean(x)));
        Assert.StartsWith("Not yet: look at one patch", Exercises.NormalizedPatches(x => x));
        Assert.StartsWith("Not yet: the shape is", Exercises.NormalizedPatches(Mean));
    }

    [Fact]
    public void Slices_away_from_the_block()
    {
        Says("Right.", (n, first, count, gap) => All(n).Where(z => z < first - gap || z >= first + count + gap));
        Says("Not yet: nothing is left", (_, _, _, _) => []);
        Says("Not yet: for 20 slices, of which 4 from number 8 are tested, and a gap of 2, slice 8 is trained on and tested", (n, _, _, _) => All(n));
        Says("Not yet: for 20 slices, of which 4 from number 8 are tested, and a gap of 2, slice 6 is too near, and so is slice 13",
            (n, first, count, _) => All(n).Where(z => z < first || z >= first + count));
        Says("Not yet: for 20 slices, of which 4 from number 8 are tested, and a gap of 2, slice 12 is too near. The other side",
            (n, first, count, gap) => All(n).Where(z => z < first - gap || z >= first + count));
        Says("Not yet: for 20 slices, of which 4 from number 8 are tested, and a gap of 2, slice 5 is far enough",
            (n, first, count, gap) => All(n).Where(z => z < first - gap - 1 || z > first + count + gap));
        Says("Not yet: for 12 slices, of which 3 from number 0 are tested, and a gap of 2, there is a slice -2",
            (n, first, count, gap) => Enumerable.Range(Math.Min(0, first - gap), n).Where(z => (z < first - gap || z >= first + count + gap) && z < n || z < 0));

        static IEnumerable<int> All(int slices) => Enumerable.Range(0, slices);
        static void Says(string answer, Func<int, int, int, int, IEnumerable<int>> training) =>
            Assert.StartsWith(answer, Exercises.AwayFromTheBlock((n, first, count, gap) => [.. training(n, first, count, gap)]));
    }

    [Fact]
    public void The_soft_Dice_loss()
    {
        using var scope = NewDisposeScope();
        static Tensor Of(Tensor p, Tensor m, double one = 1) => 1 - (2 * (p * m).sum() + one) / (p.sum() + m.sum() + one);
        Says("Right.", (x, m) => Of(x.sigmoid(), m));
        Says("Not yet: this grows", (x, m) => 1 - Of(x.sigmoid(), m));
        Says("Not yet: these are logits", (x, m) => Of(x, m));
        Says("Not yet: a threshold", (x, m) => Of(x.gt(0).to(ScalarType.Float32), m));
        Says("Not yet: this is the mean of one loss", (x, m) => stack(Enumerable.Range(0, 3).Select(i => Of(x[i].sigmoid(), m[i])).ToArray()).mean());
        Says("Not yet: without the 1", (x, m) => Of(x.sigmoid(), m, 0));
        Says("Not yet: that is IoU's", (x, m) => 1 - ((x.sigmoid() * m).sum() + 1) / (x.sigmoid().sum() + m.sum() - (x.sigmoid() * m).sum() + 1));
        Says("Not yet: a perfect mask", (x, m) => 1 - ((x.sigmoid() * m).sum() + 1) / (x.sigmoid().sum() + m.sum() + 1));
        Says("Not yet: on a random batch", (x, m) => (x.sigmoid() - m).abs().mean());
        Says("Not yet: the number is right, but no gradient", (x, m) => Of(x.detach().sigmoid(), m));
        Says("Not yet: the shape is [3, 1, 6, 8]", (x, _) => x);

        static void Says(string answer, Func<Tensor, Tensor, Tensor> loss) => Assert.StartsWith(answer, Exercises.SoftDice(loss));
    }
}
