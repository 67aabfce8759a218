using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>A patch embedding's weight for colour as one for grey images.</summary>
    /// <param name="toGrey">From [D, 3, P, P] to [D, 1, P, P].</param>
    public static string GreyEmbedding(Func<Tensor, Tensor> toGrey)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var (weight, grey) = (randn([8, 3, 4, 4], generator: generator), rand([2, 1, 16, 16], generator: generator));
        var expected = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight, strides: [4, 4]);
        var yours = toGrey(weight.clone());
        if (!yours.shape.SequenceEqual([8, 1, 4, 4]))
            return WrongShape(yours, "[D, 1, P, P] = [8, 1, 4, 4]");
        bool Gives(Tensor kernels) => Same(nn.functional.conv2d(grey, kernels, strides: [4, 4]), expected, 1e-4);
        if (Gives(yours))
            return "Right: the sum over the channels, since the same grey meets each of them.";
        if (Gives(yours * 3))
            return "Not yet: the tokens come out three times too small.";
        return Enumerable.Range(0, 3).Any(channel => Same(yours, weight.narrow(1, channel, 1)))
            ? "Not yet: this is one channel's part; the other two met the grey, too."
            : "Not yet: write down one number of a token, with three equal channels, and take the grey out of the bracket.";
    }

    /// <summary>Layer-wise learning-rate decay (arXiv:2106.08254): what share of the rate a parameter of a Vision Transformer gets.</summary>
    /// <param name="share">From a parameter's name, the number of blocks and the factor from a block to the one before.</param>
    public static string LayerWiseRates(Func<string, int, double, double> share)
    {
        foreach (var (layers, decay) in new[] { (6, 0.5), (12, 0.75) })
        {
            double Of(string name) => share(name, layers, decay);
            bool Is(string name, int steps) => Math.Abs(Of(name) - Math.Pow(decay, steps)) < 1e-9;
            var (first, last) = ("blocks.0.norm1.weight", $"blocks.{layers - 1}.mlp.fc2.bias");
            string[] top = ["head.weight", "head.bias", "norm.weight", "norm.bias"];
            string[] bottom = ["cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias"];
            if (Is(first, 0) && Is(last, 0))
                return "Not yet: all blocks learn at one rate.";
            if (Of(first) > Of(last))
                return "Not yet: the first block should learn slowest, the last fastest.";
            if (top.FirstOrDefault(name => !Is(name, 0)) is string tooSlow)
                return $"Not yet: {tooSlow} should get the full rate, and gets {Of(tooSlow):G3} of it.";
            if (Is(last, 0))
                return "Not yet: the last block gets the full rate, like the head. It should get one factor less.";
            if (layers > 10 && !Is("blocks.10.attn.qkv.weight", 2) && Is("blocks.10.attn.qkv.weight", layers - 1))
                return "Not yet: blocks.10 is taken for block 1. Read the number up to the next dot.";
            if (!Is(first, layers))
                return $"Not yet: {first} of {layers} blocks gets {Of(first):G3} of the rate. How many factors of {decay} lie between it and the head?";
            if (bottom.FirstOrDefault(name => !Is(name, layers + 1)) is string wrong)
                return Is(wrong, layers) ? $"Not yet: {wrong} gets what the first block gets; it should get one factor less."
                    : $"Not yet: {wrong} gets {Of(wrong):G3} of the rate. It stands before the blocks.";
            for (var block = 0; block < layers; block++)
                if (!Is($"blocks.{block}.attn.proj.weight", layers - block))
                    return $"Not yet: the ends are right, block {block} of {layers} is not.";
        }
        return "Right: each step down from the head is one more factor, and the embedding is the last.";
    }
}
