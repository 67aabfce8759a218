using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Which slices may be trained on when a block is tested and a gap on either side of it is left out.</summary>
    /// <param name="training">From how many slices there are, the block's first, how many it has, and how many a gap has, to the numbers of the others.</param>
    public static string AwayFromTheBlock(Func<int, int, int, int, int[]> training)
    {
        foreach (var (slices, first, count, gap) in new[] { (20, 8, 4, 2), (20, 8, 4, 0), (12, 0, 3, 2), (12, 1, 3, 4), (12, 9, 3, 5), (76, 30, 20, 5) })
        {
            int[] expected = [.. Enumerable.Range(0, slices).Where(z => z < first - gap || z >= first + count + gap)];
            int[] yours = [.. training(slices, first, count, gap).Distinct().Order()];
            if (yours.SequenceEqual(expected))
                continue;
            var asked = $"{slices} slices, of which {count} from number {first} are tested, and a gap of {gap}";
            if (yours.Length == 0)
                return $"Not yet: nothing is left to train on, for {asked}.";
            if (yours.Any(z => z < 0 || z >= slices))
                return $"Not yet: for {asked}, there is a slice {yours.First(z => z < 0 || z >= slices)}. They are numbered from 0 to {slices - 1}.";
            if (yours.FirstOrDefault(z => z >= first && z < first + count, -1) is var tested and >= 0)
                return $"Not yet: for {asked}, slice {tested} is trained on and tested.";
            int[] missing = [.. expected.Except(yours)], close = [.. yours.Except(expected)];
            if (close.Length > 0)
                return close.All(z => z < first) || close.All(z => z >= first + count)
                    ? $"Not yet: for {asked}, slice {close[0]} is too near. The other side of the block is right."
                    : $"Not yet: for {asked}, slice {close[0]} is too near, and so is slice {close[^1]}.";
            return $"Not yet: for {asked}, slice {missing[0]} is far enough away and not among yours.";
        }
        return "Right. A gap costs training slices and buys a test that means more.";
    }

    /// <summary>The soft Dice loss: what Dice is on masks, on probabilities.</summary>
    /// <param name="loss">From logits and true masks, [B, 1, H, W] both, to one number.</param>
    public static string SoftDice(Func<Tensor, Tensor, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(19);
        var logits = randn([3, 1, 6, 8], generator: generator) * 2;
        // One mask is larger than the others, so that a mean over images differs from the whole.
        var masks = cat([rand([1, 1, 6, 8], generator: generator).gt(0.2), rand([2, 1, 6, 8], generator: generator).gt(0.9)]).to(float32);
        Tensor Of(Tensor p, Tensor m, long[] over) => 1 - (2 * (p * m).sum(over) + 1) / (p.sum(over) + m.sum(over) + 1);
        long[] all = [0, 1, 2, 3], image = [1, 2, 3];
        var yours = loss(logits.clone(), masks.clone());
        if (yours.numel() != 1)
            return WrongShape(yours, "one number");
        bool Is(Tensor value) => (yours.reshape([]) - value).abs().item<float>() < 1e-4;
        var p = logits.sigmoid();
        if (Is(1 - Of(p, masks, all)))
            return "Not yet: this grows as the masks agree. A loss has to fall.";
        if (Is(Of(logits, masks, all)))
            return "Not yet: these are logits. Which function makes them probabilities?";
        if (Is(Of(p.gt(0.5).to(float32), masks, all)))
            return "Not yet: a threshold has no gradient. Leave the probabilities as they are.";
        if (Is(Of(p, masks, image).mean()))
            return "Not yet: this is the mean of one loss for each image. Sum over all pixels of the batch first.";
        if (Is(1 - 2 * (p * masks).sum() / (p.sum() + masks.sum())))
            return "Not yet: without the 1 above and below, a batch without any brain is 0 / 0, or nearly.";
        if (Is(1 - ((p * masks).sum() + 1) / (p.sum() + masks.sum() - (p * masks).sum() + 1)))
            return "Not yet: that is IoU's loss. Dice counts the common part twice and divides by the two sizes.";
        if (Is(1 - ((p * masks).sum() + 1) / (p.sum() + masks.sum() + 1)))
            return "Not yet: a perfect mask would get one half. What is counted twice?";
        if (!Is(Of(p, masks, all)))
            return $"Not yet: on a random batch you get {yours.item<float>():F4}, it should be {Of(p, masks, all).item<float>():F4}.";
        var grown = logits.clone().requires_grad_();
        var value = loss(grown, masks);
        if (!value.requires_grad)
            return "Not yet: the number is right, but no gradient flows back from it.";
        return "Right. It looks at the share of the brain that was found, however small the brain is in the slice.";
    }
}
