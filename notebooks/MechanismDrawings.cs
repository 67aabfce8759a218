using System.Globalization;
using CSharpKernel.Documents;
using static Notebooks.SvgCanvas;

namespace Notebooks;

/// <summary>One drawing a notebook, of the mechanism that it builds, with the numbers of its cells.</summary>
static class MechanismDrawings
{
    /// <summary>The drawings by the number of their notebook; the file is <c>mechanism-01.svg</c> and so on.</summary>
    public static IReadOnlyList<(string Notebook, Func<SvgCanvas> Draw)> All { get; } =
    [
        ("01", CutAndFlatten),
        ("02", OneFilterOnOnePatch),
        ("03", TheTokenInFront),
        ("04", AddingPositions),
        ("05", OneQuery),
        ("06", HeadsSplitAndJoined),
        ("07", NormAndResidual),
        ("09", TheLoop),
        ("11", Rollout),
        ("12", NewHead),
        ("13", Tiles),
        ("14", ShiftFirstOrLast),
        ("15", TwoTokens),
        ("16", ShiftedWindows),
        ("17", MaskAndReconstruct),
        ("18", QueriesAndMatching),
        ("19", TokensToMask),
        ("20", Tubelets),
        ("21", NumberFormats),
    ];

    /// <summary>Writes each drawing into a folder.</summary>
    public static void WriteAll(string imagesFolder)
    {
        foreach (var (notebook, draw) in All)
            WholeFile.Write(Path.Combine(imagesFolder, $"mechanism-{notebook}.svg"), draw().ToString());
    }

    static readonly (string Fill, string Stroke)[] SixPatches = [("#FBE7C6", "#8A6145"), ("#CBE3F3", "#3F7CAC"), ("#DDF1E8", "#2E8B6B"), ("#E6E0F4", "#6E5BA6"), ("#FFE7A0", "#9A7400"), ("#F7D3C4", "#B4532A")];

    static string[] Whole(IEnumerable<int> numbers) => [.. numbers.Select(n => Number(n, 0))];
    static string[] Decimals(IEnumerable<double> numbers, int decimals = 4) => [.. numbers.Select(n => Number(n, decimals))];

    // Patch i of the 4 × 6 image 0 … 23, whose patches are 2 × 2.
    static int[] Pixels(int patch)
    {
        var first = patch / 3 * 12 + patch % 3 * 2;
        return [first, first + 1, first + 6, first + 7];
    }

    static SvgCanvas CutAndFlatten()
    {
        var canvas = new SvgCanvas("An image, cut and flattened",
            "An image of 4 by 6 pixels, numbered 0 to 23, is cut into six patches of 2 by 2. Each patch becomes one row of four numbers; the second is 2, 3, 8, 9.", 300);
        canvas.Text(120, 24, "image", bold: true);
        canvas.Text(120, 262, "[B, C, H, W] = [1, 1, 4, 6]", code: true, size: 13);
        for (var pixel = 0; pixel < 24; pixel++)
        {
            var (row, column) = (pixel / 6, pixel % 6);
            canvas.Box(18 + column * 34, 66 + row * 34, 34, 34, SixPatches[row / 2 * 3 + column / 2], Number(pixel, 0), corner: 0, code: true);
        }
        canvas.Text(348, 24, "patches", bold: true);
        canvas.Text(348, 262, "cut, row by row", size: 13);
        for (var patch = 0; patch < 6; patch++)
        {
            var (x, y) = (264 + patch % 3 * 60, 72 + patch / 3 * 76);
            var pixels = Whole(Pixels(patch));
            canvas.Row(x, y, pixels[..2], SixPatches[patch], 26);
            canvas.Row(x, y + 26, pixels[2..], SixPatches[patch], 26);
        }
        canvas.Text(592, 24, "sequence", bold: true);
        canvas.Text(592, 262, "[B, N, C·P·P] = [1, 6, 4]", code: true, size: 13);
        for (var patch = 0; patch < 6; patch++)
        {
            canvas.Text(508, 67 + patch * 30, Number(patch, 0), anchor: "end", size: 13, fill: "#52606D");
            canvas.Row(516, 54 + patch * 30, Whole(Pixels(patch)), SixPatches[patch], 38);
        }
        canvas.Arrow((228, 134), (256, 134));
        canvas.Arrow((452, 134), (484, 134));
        return canvas;
    }

    static SvgCanvas OneFilterOnOnePatch()
    {
        double[] patch = [.. Pixels(0)];
        double[] filter = [-0.5, 0.5, -0.5, 0.5];
        var canvas = new SvgCanvas("One filter on one patch",
            "The patch 0, 1, 6, 7 and the filter right minus left, minus a half, a half, minus a half, a half: each pixel is multiplied by its weight, and the sum, 1, is one number of the token.", 300);
        void Square(double x, double y, string[] numbers, (string Fill, string Stroke) colour)
        {
            canvas.Row(x, y, numbers[..2], colour, 44, 36);
            canvas.Row(x, y + 36, numbers[2..], colour, 44, 36);
        }
        canvas.Text(78, 24, "patch", bold: true);
        Square(34, 60, Decimals(patch, 0), SixPatches[0]);
        canvas.Text(158, 96, "×", size: 22);
        canvas.Text(232, 24, "filter “right − left”", bold: true);
        Square(188, 60, Decimals(filter, 1), Weight);
        canvas.Text(312, 96, "=", size: 22);
        canvas.Text(390, 24, "products", bold: true);
        Square(346, 60, Decimals(patch.Zip(filter, (p, w) => p * w + 0), 1), Plain);
        canvas.Arrow((440, 96), (484, 96));
        canvas.Text(462, 80, "sum", size: 13);
        canvas.Text(586, 24, "token", bold: true);
        double[][] filters = [[0.25, 0.25, 0.25, 0.25], filter, [-0.5, -0.5, 0.5, 0.5]];
        var token = filters.Select(f => patch.Zip(f, (p, w) => p * w).Sum()).ToArray();
        canvas.Box(490, 82, 64, 30, Plain, Number(token[0], 4), corner: 0, code: true);
        canvas.Box(554, 82, 64, 30, Lit, Number(token[1], 4), corner: 0, code: true);
        canvas.Box(618, 82, 64, 30, Plain, Number(token[2], 4), corner: 0, code: true);
        canvas.Text(586, 128, "one number from each filter", size: 13);

        canvas.Text(34, 176, "The same, as matrices:", anchor: "start", size: 13);
        canvas.Row(34, 216, Decimals(patch, 0), SixPatches[0], 36);
        canvas.Text(106, 258, "[1, C · P · P]", code: true, size: 13);
        canvas.Text(196, 229, "·", size: 22);
        for (var pixel = 0; pixel < 4; pixel++)
            for (var column = 0; column < 3; column++)
                canvas.Box(216 + column * 62, 168 + pixel * 26, 62, 26, column == 1 ? Lit : Weight, Number(filters[column][pixel], 2), corner: 0, code: true);
        canvas.Text(309, 286, "E: [C · P · P, D]", code: true, size: 13);
        canvas.Text(442, 229, "=", size: 22);
        for (var column = 0; column < 3; column++)
            canvas.Box(470 + column * 64, 216, 64, 26, column == 1 ? Lit : Plain, Number(token[column], 4), corner: 0, code: true);
        canvas.Text(566, 258, "[1, D]", code: true, size: 13);
        return canvas;
    }

    static SvgCanvas TheTokenInFront()
    {
        var canvas = new SvgCanvas("The class token: put in front, and read",
            "The class token, minus 1 to minus 4, is put in front of the three patches of an image. After the encoder, only the first token is read by the head; the other three are left.", 260);
        string[] token = Whole([-1, -2, -3, -4]);
        canvas.Text(96, 24, "learned, one for all images", size: 13);
        canvas.Row(20, 42, token, ClassToken, 38);
        canvas.Text(96, 98, "patches of one image", size: 13);
        for (var row = 0; row < 3; row++)
            canvas.Row(20, 116 + row * 34, Whole(Enumerable.Range(row * 4, 4)), Plain, 38);
        canvas.Text(96, 236, "[N, D] = [3, 4]", code: true, size: 13);
        canvas.Arrow((178, 55), (222, 55), (222, 77), (244, 77));
        canvas.Arrow((178, 163), (244, 163));
        canvas.Text(325, 24, "sequence", bold: true);
        canvas.Row(250, 64, token, ClassToken, 38);
        for (var row = 0; row < 3; row++)
            canvas.Row(250, 98 + row * 34, Whole(Enumerable.Range(row * 4, 4)), Plain, 38);
        canvas.Text(325, 236, "[T, D] = [1 + 3, 4]", code: true, size: 13);
        canvas.Arrow((406, 128), (430, 128));
        canvas.Box(434, 56, 78, 146, Attention);
        canvas.Text(473, 112, "encoder", bold: true);
        canvas.Text(473, 134, "every token", size: 12);
        canvas.Text(473, 150, "sees every", size: 12);
        canvas.Text(473, 166, "other", size: 12);
        canvas.Arrow((516, 77), (546, 77));
        canvas.Box(550, 64, 56, 26, ClassToken, "class", size: 13);
        for (var row = 0; row < 3; row++)
            canvas.Box(550, 98 + row * 34, 56, 26, Empty, "not read", size: 13);
        canvas.Arrow((608, 77), (630, 77));
        canvas.Box(634, 56, 52, 42, Weight, "head", bold: true);
        canvas.Text(660, 118, "the class", size: 13);
        canvas.Text(660, 136, "is read", size: 13);
        canvas.Text(660, 154, "here", size: 13);
        return canvas;
    }

    static SvgCanvas AddingPositions()
    {
        var canvas = new SvgCanvas("Adding positions",
            "Three equal tokens of ones; to each the sines and cosines of its own position are added, so that three different tokens come out.", 220);
        canvas.Text(110, 24, "three equal tokens", bold: true);
        canvas.Text(352, 24, "their positions", bold: true);
        canvas.Text(592, 24, "three different tokens", bold: true);
        string[] columns = ["sin t", "cos t", "sin 0.01 t", "cos 0.01 t"];
        for (var column = 0; column < 4; column++)
            canvas.Text(270 + column * 56, 50, columns[column], size: 12, italic: true);
        for (var t = 0; t < 3; t++)
        {
            var y = 66 + t * 44;
            double[] position = [Math.Sin(t), Math.Cos(t), Math.Sin(0.01 * t), Math.Cos(0.01 * t)];
            canvas.Text(14, y + 13, $"t = {t}", anchor: "start", size: 13);
            canvas.Row(54, y, Whole([1, 1, 1, 1]), Plain, 28);
            canvas.Plus(200, y + 13);
            canvas.Row(242, y, Decimals(position, 2), Position, 56);
            canvas.Text(478, y + 13, "=", size: 20);
            canvas.Row(490, y, Decimals(position.Select(p => 1 + p), 2), Lit, 50);
        }
        canvas.Text(110, 206, "[T, D] = [3, 4]", code: true, size: 13);
        canvas.Text(352, 206, "[T, D], the same for every image", code: true, size: 13);
        canvas.Text(592, 206, "[T, D]", code: true, size: 13);
        return canvas;
    }

    static SvgCanvas OneQuery()
    {
        string[] names = ["fur", "sky", "grass", "paw"];
        double[][] tokens = [[2, 0, 0], [0, 2, 0], [0, 0, 2], [1.5, 0, 1]];
        var query = tokens[0];
        var scores = tokens.Select(key => key.Zip(query, (k, q) => k * q).Sum()).ToArray();
        var scaled = scores.Select(s => s / Math.Sqrt(3)).ToArray();
        var sum = scaled.Sum(Math.Exp);
        var weights = scaled.Select(s => Math.Exp(s) / sum).ToArray();
        var mixed = Enumerable.Range(0, 3).Select(i => weights.Zip(tokens, (w, value) => w * value[i]).Sum());

        var canvas = new SvgCanvas("One query, four keys",
            "The query of the token fur is multiplied with the keys of fur, sky, grass and paw. The scores 4, 0, 0 and 3 are divided by the square root of 3; softmax makes them weights, drawn as bars; the values, weighted so, add up to the new token.", 330);
        canvas.Text(84, 24, "the query of “fur”", bold: true);
        canvas.Row(30, 44, Decimals(query, 1), Lit, 36);
        canvas.Text(84, 92, "“what am I looking for?”", size: 12, italic: true);
        double[] middles = [84, 194, 256, 378, 576];
        (int Column, string Text)[] heads = [(0, "four keys"), (1, "q · k"), (2, "/ √3"), (3, "softmax"), (4, "weight × value")];
        foreach (var (column, text) in heads)
            canvas.Text(middles[column], 122, text, bold: column is 0 or 3 or 4, italic: column is 1 or 2);
        for (var i = 0; i < 4; i++)
        {
            var y = 140 + i * 36;
            canvas.Row(30, y, Decimals(tokens[i], 1), Plain, 36);
            canvas.Arrow((142, y + 13), (170, y + 13));
            canvas.Text(194, y + 13, Number(scores[i], 0), code: true);
            canvas.Text(256, y + 13, Number(scaled[i], 4), code: true);
            canvas.Text(358, y + 13, Number(weights[i], 4), anchor: "end", code: true);
            canvas.Box(364, y + 2, 76 * weights[i] / weights.Max(), 22, Attention, corner: 0);
            canvas.Text(526, y + 13, Number(weights[i], 4) + " ×", anchor: "end", code: true);
            canvas.Row(534, y, Decimals(tokens[i], 1), Plain, 36);
            canvas.Text(650, y + 13, names[i], anchor: "start", size: 13);
        }
        canvas.Path([(470, 290), (686, 290)]);
        canvas.Text(478, 309, "sum", anchor: "end", bold: true);
        canvas.Row(486, 296, Decimals(mixed), Lit, 62);
        canvas.Text(24, 309, "the new “fur”: the mean of all values, mostly its own, then the paw’s", anchor: "start", size: 12, italic: true);
        return canvas;
    }

    static SvgCanvas HeadsSplitAndJoined()
    {
        var canvas = new SvgCanvas("Columns split into heads, and joined",
            "The queries of two tokens, of six numbers each, 0 to 5 and 10 to 15; keys and values are split alike. Head 0 takes the first three columns of both, head 1 the last three. Each attends by itself; their results are written side by side again and multiplied by the output projection.", 240);
        (string Fill, string Stroke)[] colours = [Attention, Position];
        void Joined(double x, double y, Func<int, int, string> text)
        {
            for (var token = 0; token < 2; token++)
                for (var column = 0; column < 6; column++)
                    canvas.Box(x + column * 30, y + token * 28, 30, 28, colours[column / 3], text(token, column), corner: 0, code: true);
        }
        canvas.Text(104, 40, "queries of two tokens", bold: true);
        Joined(14, 92, (token, column) => Number(token * 10 + column, 0));
        canvas.Text(104, 170, "[T, D] = [2, 6]", code: true, size: 13);
        canvas.Text(288, 24, "h = 2 heads, d = D / h = 3", bold: true, size: 13);
        for (var head = 0; head < 2; head++)
        {
            var y = 56 + head * 96;
            canvas.Arrow((196, 120), (214, 120), (214, y + 28), (238, y + 28));
            for (var token = 0; token < 2; token++)
                canvas.Row(242, y + token * 28, Whole(Enumerable.Range(token * 10 + head * 3, 3)), colours[head], 30, 28);
            canvas.Arrow((334, y + 28), (352, y + 28));
            canvas.Box(356, y + 6, 96, 44, colours[head], "attention", size: 13);
            canvas.Arrow((454, y + 28), (472, y + 28), (472, 120), (492, 120));
            canvas.Text(287, y + 68, $"head {head}: [T, d]", code: true, size: 12);
        }
        canvas.Text(540, 40, "side by side", bold: true);
        for (var token = 0; token < 2; token++)
            for (var head = 0; head < 2; head++)
                canvas.Box(496 + head * 45, 92 + token * 28, 45, 28, colours[head], $"head {head}", corner: 0, size: 12);
        canvas.Text(541, 170, "[T, h · d]", code: true, size: 13);
        canvas.Arrow((588, 120), (606, 120));
        canvas.Box(610, 84, 76, 72, Weight);
        canvas.Text(648, 112, "output", size: 13);
        canvas.Text(648, 130, "projection", size: 13);
        canvas.Text(648, 170, "[T, D]", code: true, size: 13);
        return canvas;
    }

    static SvgCanvas NormAndResidual()
    {
        double[] token = [1, 2, 3, 6];
        var mean = token.Average();
        var deviation = Math.Sqrt(token.Average(x => (x - mean) * (x - mean)));
        var normed = token.Select(x => (x - mean) / deviation);
        var canvas = new SvgCanvas("What norm and residual do",
            "A token 1, 2, 3, 6 goes straight on; beside it, a branch takes its normalised form, with mean 0 and deviation 1, computes something from it, and adds the result. This happens twice: with attention, then with the feed-forward.", 250);
        canvas.Text(20, 30, "the residual: the token goes on as it is", anchor: "start", size: 13, italic: true);
        canvas.Row(16, 52, Whole(token.Select(x => (int)x)), Plain, 28);
        canvas.Arrow((132, 65), (386, 65));
        canvas.Plus(400, 65);
        canvas.Arrow((414, 65), (646, 65));
        canvas.Plus(660, 65);
        canvas.Arrow((674, 65), (696, 65));
        foreach (var (x, name, colour) in new[] { (170.0, "attention", Attention), (430.0, "feed-forward", Weight) })
        {
            canvas.Arrow((x, 65), (x, 118));
            canvas.Box(x - 24, 122, 96, 34, Plain, "LayerNorm", size: 13);
            canvas.Arrow((x + 74, 139), (x + 92, 139));
            canvas.Box(x + 96, 118, 102, 42, colour, name, bold: true, size: 13);
            canvas.Arrow((x + 200, 139), (x + 230, 139), (x + 230, 82));
        }
        canvas.Text(20, 198, "after LayerNorm:", anchor: "start", size: 13);
        canvas.Row(132, 185, Decimals(normed), Plain, 68);
        canvas.Text(268, 228, "mean 0, deviation 1, whatever the token’s size", size: 13, italic: true);
        canvas.Path([(170, 158), (170, 182)], dashes: "2 4");
        canvas.Text(428, 198, "each branch adds a correction; the", anchor: "start", size: 13, italic: true);
        canvas.Text(428, 216, "gradient comes back by the upper line", anchor: "start", size: 13, italic: true);
        return canvas;
    }

    static SvgCanvas TheLoop()
    {
        var canvas = new SvgCanvas("The loop of a training",
            "A batch of images is augmented and goes through the model; logits and labels give the loss; the backward pass gives gradients, which are cut to a length; AdamW moves the weights by the learning rate of this step; the next batch follows. After each epoch the validation images are counted.", 250);
        (string Text, string Shape, (string, string) Colour)[] forward =
            [("batch", "[B, 1, 28, 28]", Plain), ("augment", "shift, mirror", Plain), ("model", "logits [B, 10]", Attention), ("loss", "one number", Lit)];
        (string Text, string Shape, (string, string) Colour)[] back =
            [("gradients", "of each weight", Lit), ("clip", "to length 1", Plain), ("AdamW", "step and decay", Weight), ("next batch", "zero_grad", Plain)];
        for (var i = 0; i < 4; i++)
        {
            var x = 24 + i * 172;
            canvas.Box(x, 36, 132, 56, forward[i].Colour);
            canvas.Text(x + 66, 56, forward[i].Text, bold: true);
            canvas.Text(x + 66, 76, forward[i].Shape, size: 12);
            var left = 24 + (3 - i) * 172;
            canvas.Box(left, 140, 132, 56, back[i].Colour);
            canvas.Text(left + 66, 160, back[i].Text, bold: true);
            canvas.Text(left + 66, 180, back[i].Shape, size: 12);
            if (i == 3)
                continue;
            canvas.Arrow((x + 134, 64), (x + 168, 64));
            canvas.Arrow((left - 2, 168), (left - 36, 168));
        }
        canvas.Arrow((606, 94), (606, 136));
        canvas.Text(616, 116, "backward", anchor: "start", size: 12, italic: true);
        canvas.Arrow((90, 138), (90, 96));
        canvas.Text(350, 18, "forward", size: 12, italic: true);
        canvas.Text(350, 226, "now and then: count what the model gets right of the validation images", size: 12, italic: true);
        return canvas;
    }

    static SvgCanvas Rollout()
    {
        double[][] first = [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], second = [[0, 0.5, 0.5], [0.5, 0.5, 0], [0, 0.5, 0.5]];
        var canvas = new SvgCanvas("Attention rollout",
            "Three tokens, two blocks. To the attention of each block the identity is added and the sum halved, so that each token keeps half of itself. The product of the two matrices tells how much of each embedded token is in each token at the end; its first row is the map of the class token.", 268);
        double[][] Half(double[][] a) => [.. a.Select((row, i) => row.Select((x, j) => (x + (i == j ? 1 : 0)) / 2).ToArray())];
        var (a, b) = (Half(first), Half(second));
        double[][] product = [.. b.Select(row => Enumerable.Range(0, 3).Select(j => Enumerable.Range(0, 3).Sum(k => row[k] * a[k][j])).ToArray())];
        (string Fill, string Stroke)[] tokens = [ClassToken, Plain, Plain];
        void Matrix(double x, double y, double[][] numbers, int decimals, Func<int, (string Fill, string Stroke)> colour, double width = 46)
        {
            foreach (var (i, row) in numbers.Index())
                canvas.Row(x, y + i * 28, Decimals(row, decimals), colour(i), width, height: 28);
        }

        foreach (var (i, name) in new[] { "class", "patch 1", "patch 2" }.Index())
        {
            canvas.Text(66, 68 + i * 28, name, anchor: "end", size: 12);
            canvas.Text(66, 184 + i * 28, name, anchor: "end", size: 12);
        }

        canvas.Text(145, 24, "attention, mean of heads", bold: true, size: 13);
        canvas.Text(340, 24, "½ (A + I)", bold: true);
        canvas.Text(594, 24, "the product", bold: true);
        canvas.Text(145, 42, "block 1", size: 12, italic: true);
        canvas.Text(145, 158, "block 2", size: 12, italic: true);
        Matrix(76, 54, first, 1, i => tokens[i]);
        Matrix(76, 170, second, 1, i => tokens[i]);
        Matrix(271, 54, a, 2, i => tokens[i]);
        Matrix(271, 170, b, 2, i => tokens[i]);
        canvas.Arrow((220, 96), (266, 96));
        canvas.Arrow((220, 212), (266, 212));
        canvas.Arrow((415, 212), (456, 212), (456, 154), (496, 154));
        canvas.Arrow((415, 96), (456, 96), (456, 148), (496, 148));
        Matrix(501, 110, product, 4, i => i == 0 ? Lit : Empty, width: 62);
        canvas.Text(594, 96, "block 2 × block 1", size: 12, italic: true);
        canvas.Text(594, 214, "the class token’s row:", size: 12);
        canvas.Text(594, 232, "its map over the tokens", size: 12);
        return canvas;
    }

    static SvgCanvas NewHead()
    {
        var canvas = new SvgCanvas("A new head on a trained encoder",
            "An image of a coat goes through the encoder, which was trained on seven other classes, and becomes 96 numbers. The old head of seven rows is taken away. A new one of three rows, all zero at first, takes its place. A linear probe trains the new head alone; fine-tuning trains the encoder as well.", 250);
        canvas.Box(20, 92, 84, 60, Plain, "image", size: 13);
        canvas.Arrow((106, 122), (136, 122));
        canvas.Box(140, 52, 150, 140, Attention, "encoder", bold: true);
        canvas.Text(215, 144, "its weights are kept", size: 12, italic: true);
        canvas.Arrow((292, 122), (322, 122));
        canvas.Box(326, 106, 84, 32, ClassToken, "y", italic: true);
        canvas.Text(368, 154, "96 numbers", size: 12);
        canvas.Arrow((412, 112), (436, 112), (436, 64), (462, 64));
        canvas.Arrow((412, 132), (436, 132), (436, 180), (462, 180));
        canvas.Box(466, 44, 96, 40, Empty, "[7 × 96]", code: true, size: 13);
        canvas.Path([(466, 44), (562, 84)], "#D55E00");
        canvas.Path([(466, 84), (562, 44)], "#D55E00");
        canvas.Text(514, 26, "old head", size: 12, italic: true);
        canvas.Text(574, 56, "T-shirt, trouser, dress,", anchor: "start", size: 12);
        canvas.Text(574, 72, "sandal, sneaker, …", anchor: "start", size: 12);
        canvas.Box(466, 160, 96, 40, Lit, "[3 × 96]", code: true, size: 13);
        canvas.Text(514, 214, "new head: all 0 at first", size: 12, italic: true);
        canvas.Text(574, 172, "pullover, coat,", anchor: "start", size: 12);
        canvas.Text(574, 188, "shirt", anchor: "start", size: 12);
        canvas.Text(20, 236, "linear probe: the new head alone learns", anchor: "start", size: 13);
        canvas.Text(330, 236, "fine-tuning: the encoder learns as well", anchor: "start", size: 13);
        return canvas;
    }

    static SvgCanvas ShiftFirstOrLast()
    {
        int[] pixels = [0, 1, 2, 0, 0, 0], filter = [1, 2, 1], positions = [1, 2, 3, 4, 5, 6];
        var canvas = new SvgCanvas("Shift first, or shift last",
            "Six pixels. A convolution with the filter 1, 2, 1 gives the same whether the pixels are shifted by one before it or its result afterwards. A sum with a number for each place does not: what belongs to a place stays there.", 282);
        static int[] Shifted(int[] x) => [x[^1], .. x[..^1]];
        int[] Convolved(int[] x) => [.. x.Select((_, i) => filter.Select((w, k) => i + k - 1 is >= 0 and var at && at < x.Length ? w * x[at] : 0).Sum())];
        int[] Placed(int[] x) => [.. x.Zip(positions, (a, b) => a + b)];
        canvas.Text(110, 24, "pixels x", bold: true);
        canvas.Text(350, 24, "shift S last: S f(x)", bold: true);
        canvas.Text(580, 24, "shift S first: f(S x)", bold: true);
        void Rows(double y, string name, Func<int[], int[]> f, (string Fill, string Stroke) colour)
        {
            var (computed, shifted) = (f(pixels), Shifted(pixels));
            var (shiftedLast, shiftedFirst) = (Shifted(computed), f(shifted));
            canvas.Text(20, y - 16, name, anchor: "start", size: 13);
            canvas.Row(20, y, Whole(pixels), Plain, 30);
            canvas.Text(228, y + 1, "f", size: 13, italic: true);
            canvas.Text(366, y + 41, "S", size: 13, italic: true);
            canvas.Text(596, y + 41, "f", size: 13, italic: true);
            canvas.Text(580, y - 14, "S x", size: 13, italic: true);
            canvas.Row(260, y, Whole(computed), colour, 30);
            canvas.Arrow((350, y + 30), (350, y + 52));
            canvas.Row(260, y + 56, Whole(shiftedLast), Lit, 30);
            canvas.Arrow((204, y + 13), (256, y + 13));
            canvas.Row(490, y, Whole(shifted), Plain, 30);
            canvas.Arrow((580, y + 30), (580, y + 52));
            canvas.Row(490, y + 56, Whole(shiftedFirst), Lit, 30);
            canvas.Text(465, y + 69, shiftedLast.SequenceEqual(shiftedFirst) ? "=" : "≠", size: 20, bold: true);
        }

        Rows(66, "a convolution, filter 1, 2, 1", Convolved, Weight);
        Rows(190, "a number for each place is added: 1, 2, 3, 4, 5, 6", Placed, Position);
        return canvas;
    }

    static SvgCanvas Tiles()
    {
        double[] scores = [1, 3, 2, 4], values = [10, 20, 30, 40];
        var canvas = new SvgCanvas("Attention, tile by tile",
            "The scores of four queries with four keys are cut into tiles of two by two. For the first query the tile of the keys 0 and 1 gives a highest score of 3, a sum of exponentials and mixed values. The tile of the keys 2 and 3 brings a higher score, 4, so what was kept is scaled down by e to the minus 1 before the new is added.", 290);
        canvas.Text(112, 24, "scores q · k", bold: true);
        for (var row = 0; row < 4; row++)
            for (var column = 0; column < 4; column++)
                canvas.Box(40 + column * 36, 62 + row * 36, 36, 36, row > 0 ? Empty : column < 2 ? Weight : Attention, row > 0 ? "" : Number(scores[column], 0), corner: 0, code: true);
        for (var tile = 0; tile < 4; tile++)
            canvas.Path([(40 + tile % 2 * 72, 62 + tile / 2 * 72), (112 + tile % 2 * 72, 62 + tile / 2 * 72), (112 + tile % 2 * 72, 134 + tile / 2 * 72), (40 + tile % 2 * 72, 134 + tile / 2 * 72), (40 + tile % 2 * 72, 62 + tile / 2 * 72)]);
        canvas.Text(112, 48, "keys 0 … 3", size: 12, italic: true);
        canvas.Text(30, 80, "q", anchor: "end", italic: true);
        canvas.Text(112, 226, "one tile of 2 × 2 at a time:", size: 12, italic: true);
        canvas.Text(112, 244, "A as a whole is never stored", size: 12, italic: true);

        double m = double.NegativeInfinity, l = 0, o = 0;
        canvas.Text(430, 24, "what is kept for this query", bold: true);
        (string Name, double X)[] columns = [("m", 352), ("ℓ", 432), ("o", 524)];
        foreach (var (name, x) in columns)
            canvas.Text(x, 48, name, italic: true);
        foreach (var (tile, y, colour) in new[] { (0, 62, Weight), (1, 160, Attention) })
        {
            var highest = Math.Max(m, Math.Max(scores[2 * tile], scores[2 * tile + 1]));
            var before = Math.Exp(m - highest);
            (m, l, o) = (highest, before * l, before * o);
            for (var key = 2 * tile; key < 2 * tile + 2; key++)
                (l, o) = (l + Math.Exp(scores[key] - m), o + Math.Exp(scores[key] - m) * values[key]);
            canvas.Text(256, y + 16, $"keys {2 * tile}, {2 * tile + 1}", size: 13);
            canvas.Box(326, y, 52, 32, colour, Number(m, 0), corner: 0, code: true);
            canvas.Box(394, y, 76, 32, colour, Number(l, 4), corner: 0, code: true);
            canvas.Box(482, y, 84, 32, colour, Number(o, 4), corner: 0, code: true);
        }
        canvas.Arrow((432, 96), (432, 156));
        canvas.Arrow((524, 96), (524, 156));
        canvas.Text(478, 126, $"× {Number(Math.Exp(-1), 4)}", size: 13, code: true);
        canvas.Text(352, 126, "e^(3 − 4)", size: 13, code: true);
        canvas.Arrow((568, 176), (592, 176));
        canvas.Box(596, 160, 84, 32, Lit, Number(o / l, 4), corner: 0, code: true);
        canvas.Text(638, 144, "o / ℓ", italic: true);
        canvas.Text(452, 226, "values of the keys: 10, 20, 30, 40", size: 12, italic: true);
        canvas.Text(452, 244, "a higher score in a later tile scales down what was kept before", size: 12, italic: true);
        return canvas;
    }

    static SvgCanvas TwoTokens()
    {
        var canvas = new SvgCanvas("Two tokens, two losses",
            "A class token and a distillation token go through the encoder before the patches. The class token's head learns from the label, the distillation token's head from the answer of a frozen convolutional network to the same image.", 300);
        canvas.Text(20, 24, "tokens", anchor: "start", bold: true);
        canvas.Box(20, 44, 112, 30, ClassToken, "class", size: 13);
        canvas.Box(20, 84, 112, 30, Lit, "distillation", size: 13);
        for (var patch = 0; patch < 3; patch++)
            canvas.Box(20, 124 + patch * 30, 112, 24, Plain, patch < 2 ? $"patch {patch + 1}" : "…", size: 12);
        canvas.Arrow((138, 122), (164, 122));
        canvas.Box(168, 40, 92, 170, Attention, "encoder", bold: true);
        canvas.Arrow((262, 59), (294, 59));
        canvas.Arrow((262, 99), (294, 99));
        canvas.Box(298, 42, 84, 34, Weight, "head", size: 13);
        canvas.Box(298, 82, 84, 34, Weight, "head", size: 13);
        canvas.Text(404, 59, "z_c", size: 14, italic: true);
        canvas.Text(404, 99, "z_d", size: 14, italic: true);
        canvas.Arrow((420, 59), (454, 59));
        canvas.Arrow((420, 99), (454, 99));
        canvas.Box(458, 42, 104, 34, Lit, "cross-entropy", size: 13);
        canvas.Box(458, 82, 104, 34, Lit, "teacher’s loss", size: 13);
        canvas.Arrow((606, 59), (566, 59));
        canvas.Text(612, 59, "label y", anchor: "start", size: 13);
        canvas.Box(20, 236, 112, 34, Plain, "the same image", size: 12);
        canvas.Arrow((138, 253), (164, 253));
        canvas.Box(168, 232, 214, 42, Weight);
        canvas.Text(275, 246, "convolutional network", size: 13);
        canvas.Text(275, 263, "trained before, frozen", size: 12, italic: true);
        canvas.Arrow((384, 253), (510, 253), (510, 120));
        canvas.Text(446, 240, "z_t", size: 14, italic: true);
        canvas.Text(526, 190, "hard: its first choice", anchor: "start", size: 12);
        canvas.Text(526, 208, "soft: all K probabilities", anchor: "start", size: 12);
        return canvas;
    }

    static SvgCanvas ShiftedWindows()
    {
        // Nine regions of the shifted grid, in the order of the notebook's numbers; the first is the only whole window.
        (string Fill, string Stroke)[] regions = [.. SixPatches, Plain, ("#F9D9E8", "#A33B73"), Empty];
        var canvas = new SvgCanvas("Windows, shifted windows, merging",
            "A grid of 4 by 4 patches, 0 to 15. First four windows of 2 by 2. Then windows shifted by one patch, which cut it into nine regions. Rolled by one, the nine regions lie in four windows again. Merging writes the four patches of each square, 0, 4, 1 and 5 first, into one of twice the width.", 282);
        void Grid(double x, Func<int, int, int> patch, Func<int, int, int> colour)
        {
            for (var row = 0; row < 4; row++)
                for (var column = 0; column < 4; column++)
                    canvas.Box(x + column * 34, 62 + row * 34, 34, 34, regions[colour(row, column)], Number(patch(row, column), 0), corner: 0, code: true, size: 13);
        }
        void Borders(double x, int[] at)
        {
            foreach (var i in at)
            {
                canvas.Path([(x + i * 34, 62), (x + i * 34, 198)], "#1F2933").SetAttributeValue("stroke-width", 3.5);
                canvas.Path([(x, 62 + i * 34), (x + 136, 62 + i * 34)], "#1F2933").SetAttributeValue("stroke-width", 3.5);
            }
        }
        int Band(int i) => (i + 3) % 4 < 2 ? 0 : (i + 3) % 4 == 2 ? 1 : 2;
        int RolledBand(int i) => i < 2 ? 0 : i - 1;
        canvas.Text(82, 24, "windows, M = 2", bold: true, size: 13);
        Grid(14, (r, c) => 4 * r + c, (r, c) => new[] { 0, 1, 2, 3 }[r / 2 * 2 + c / 2]);
        Borders(14, [0, 2, 4]);
        canvas.Text(256, 24, "shifted by M / 2", bold: true, size: 13);
        Grid(188, (r, c) => 4 * r + c, (r, c) => 3 * Band(r) + Band(c));
        Borders(188, [1, 3]);
        canvas.Text(430, 24, "rolled: four windows again", bold: true, size: 13);
        Grid(362, (r, c) => 4 * ((r + 1) % 4) + (c + 1) % 4, (r, c) => 3 * RolledBand(r) + RolledBand(c));
        Borders(362, [0, 2, 4]);
        canvas.Text(82, 44, "four windows", size: 12, italic: true);
        canvas.Text(256, 44, "nine regions", size: 12, italic: true);
        canvas.Text(430, 44, "the mask parts the colours", size: 12, italic: true);
        canvas.Arrow((154, 130), (184, 130));
        canvas.Arrow((328, 130), (358, 130));
        canvas.Text(614, 24, "merging", bold: true, size: 13);
        canvas.Text(614, 44, "squares become patches", size: 12, italic: true);
        int[][] squares = [[0, 4, 1, 5], [2, 6, 3, 7], [8, 12, 9, 13], [10, 14, 11, 15]];
        for (var i = 0; i < 4; i++)
            canvas.Row(546, 62 + i * 34 + 4, Whole(squares[i]), regions[i], 34);
        canvas.Arrow((614, 202), (614, 220));
        canvas.Box(574, 224, 80, 30, Weight, "4 D → 2 D", size: 13);
        canvas.Text(256, 222, "every second block", size: 12, italic: true);
        canvas.Text(614, 268, "between the stages", size: 12, italic: true);
        canvas.Text(14, 250, "No class token, and no position is added to a token:", anchor: "start", size: 13);
        canvas.Text(14, 268, "a bias for each offset within a window stands in the scores, and the grid’s mean is classified.", anchor: "start", size: 13);
        return canvas;
    }

    static SvgCanvas MaskAndReconstruct()
    {
        var canvas = new SvgCanvas("A masked autoencoder",
            "Of sixteen patches four are shown. The encoder turns these four into tokens. The decoder gets them at their places, with the mask token at the twelve others, and says the pixels of every patch; the loss counts the twelve hidden ones.", 250);
        int[] shown = [1, 6, 11, 12];
        void Grid(double x, Func<int, ((string Fill, string Stroke) Colour, string Text)> patch)
        {
            for (var i = 0; i < 16; i++)
            {
                var (colour, text) = patch(i);
                canvas.Box(x + i % 4 * 32, 54 + i / 4 * 32, 32, 32, colour, text, corner: 0, code: true, size: 13);
            }
        }
        bool Shown(int i) => shown.Contains(i);
        (string Fill, string Stroke) Own(int i) => SixPatches[Array.IndexOf(shown, i)];
        canvas.Text(78, 24, "patches, N = 16", bold: true, size: 13);
        canvas.Text(78, 42, "three quarters hidden", size: 12, italic: true);
        Grid(14, i => Shown(i) ? (Own(i), Number(i, 0)) : (Plain, ""));
        canvas.Arrow((148, 118), (178, 118));
        for (var i = 0; i < 4; i++)
            canvas.Box(184, 70 + i * 26, 36, 24, SixPatches[i], Number(shown[i], 0), corner: 0, code: true, size: 13);
        canvas.Text(202, 192, "V = 4", code: true, size: 13);
        canvas.Arrow((224, 118), (246, 118));
        canvas.Box(250, 82, 84, 72, Lit, "encoder", bold: true, size: 13);
        canvas.Text(292, 192, "large: D, L", size: 12, italic: true);
        canvas.Arrow((338, 118), (360, 118));
        canvas.Text(430, 24, "tokens at their places", bold: true, size: 13);
        canvas.Text(430, 42, "m: the mask token", size: 12, italic: true);
        Grid(366, i => Shown(i) ? (Own(i), Number(i, 0)) : (Weight, "m"));
        canvas.Arrow((498, 118), (516, 118));
        canvas.Box(520, 92, 28, 52, Lit, "");
        canvas.Text(534, 82, "decoder", bold: true, size: 12);
        canvas.Text(534, 162, "small", size: 12, italic: true);
        canvas.Arrow((552, 118), (566, 118));
        canvas.Text(632, 24, "pixels", bold: true, size: 13);
        canvas.Text(632, 42, "the loss counts ×", size: 12, italic: true);
        Grid(568, i => Shown(i) ? (Plain, "") : (SixPatches[4], "×"));
        canvas.Text(14, 224, "Afterwards the decoder is thrown away. The encoder is shown all patches, gets a head, and learns from labels.", anchor: "start", size: 13);
        return canvas;
    }

    static SvgCanvas NumberFormats()
    {
        var canvas = new SvgCanvas("Four ways to write 0.1",
            "The bits of 0.1 in float32, TF32, bfloat16 and float16: a sign, an exponent of 8, 8, 8 and 5 bits, a mantissa of 23, 10, 7 and 10 bits.", 300);
        var bits = BitConverter.SingleToUInt32Bits(0.1f);
        // Rounded to the nearest; 0.1 does not lie in the middle between two.
        uint Rounded(int cut) => (bits + (1u << (cut - 1))) >> cut << cut;
        (string Name, uint Bits, int Exponent, int Mantissa, double Value)[] formats =
        [
            ("float32", bits, 8, 23, 0.1f),
            ("TF32", Rounded(13), 8, 10, BitConverter.UInt32BitsToSingle(Rounded(13))),
            ("bfloat16", Rounded(16), 8, 7, BitConverter.UInt32BitsToSingle(Rounded(16))),
            ("float16", (uint)BitConverter.HalfToUInt16Bits((Half)0.1) << 16, 5, 10, (double)(Half)0.1),
        ];
        foreach (var (row, (name, all, exponent, mantissa, value)) in formats.Index())
        {
            var y = 48 + row * 60;
            canvas.Text(88, y + 13, name, anchor: "end", bold: true);
            for (var bit = 0; bit < 1 + exponent + mantissa; bit++)
                canvas.Box(98 + bit * 18, y, 18, 24, bit == 0 ? Lit : bit <= exponent ? SixPatches[1] : SixPatches[2],
                    Number(all >> (31 - bit) & 1, 0), corner: 0, code: true, size: 13);
            canvas.Text(98, y + 38, string.Create(CultureInfo.InvariantCulture, $"= {value:G9}"), anchor: "start", code: true, size: 12);
        }
        canvas.Text(98, 24, "sign", anchor: "start", size: 13, bold: true, fill: Lit.Stroke);
        canvas.Text(140, 24, "exponent: how large", anchor: "start", size: 13, bold: true, fill: SixPatches[1].Stroke);
        canvas.Text(300, 24, "mantissa: how fine", anchor: "start", size: 13, bold: true, fill: SixPatches[2].Stroke);
        return canvas;
    }

    static SvgCanvas Tubelets()
    {
        (string Fill, string Stroke)[] colours = [.. SixPatches, Plain, ("#F9D9E8", "#A33B73")];
        var canvas = new SvgCanvas("A film, cut into tubelets",
            "A film of four frames of 4 by 4 pixels, numbered 0 to 63, is cut into eight tubelets of two frames and 2 by 2 pixels. The first is 0, 1, 4, 5 of the first frame and 16, 17, 20, 21 of the second. Below, one token looks at all eight, at the two of its place, or at the four of its time.", 434);
        canvas.Text(206, 20, "film: 4 frames of 4 × 4 pixels", bold: true);
        for (var frame = 0; frame < 4; frame++)
        {
            canvas.Text(54 + frame * 102, 44, $"frame {frame + 1}", size: 12, italic: true);
            for (var pixel = 0; pixel < 16; pixel++)
                canvas.Box(8 + frame * 102 + pixel % 4 * 23, 58 + pixel / 4 * 23, 23, 23, colours[frame / 2 * 4 + pixel / 8 * 2 + pixel % 4 / 2], Number(frame * 16 + pixel, 0), corner: 0, size: 12, code: true);
        }
        canvas.Text(206, 176, "a tubelet: 2 × 2 pixels of two frames", size: 13);
        canvas.Text(206, 198, "[B, F, C, H, W] = [1, 4, 1, 4, 4]", code: true, size: 13);
        canvas.Arrow((412, 104), (448, 104));
        canvas.Text(572, 20, "eight tubelets", bold: true);
        for (var tubelet = 0; tubelet < 8; tubelet++)
        {
            var first = tubelet / 4 * 32 + tubelet % 4 / 2 * 8 + tubelet % 2 * 2;
            int[] numbers = [.. new[] { 0, 1, 4, 5, 16, 17, 20, 21 }.Select(pixel => first + pixel)];
            canvas.Text(470, 47 + tubelet * 20, Number(tubelet, 0), anchor: "end", size: 12, fill: "#52606D");
            for (var i = 0; i < 8; i++)
                canvas.Box(476 + i * 26, 37 + tubelet * 20, 26, 20, colours[tubelet], Number(numbers[i], 0), corner: 0, size: 12, code: true);
        }
        canvas.Text(572, 214, "[B, T, C·t·P·P] = [1, 8, 8]", code: true, size: 13);

        canvas.Path([(8, 238), (692, 238)], "#CBD2D9");
        canvas.Text(8, 258, "Where token 0 looks:", anchor: "start", bold: true);
        void Looks(double x, string name, string count, Func<int, bool> seen)
        {
            canvas.Text(x + 84, 284, name, size: 13, bold: true);
            // Token 0 last, since its border lies over its neighbours'.
            for (var token = 7; token >= 0; token--)
                canvas.Box(x + token / 4 * 92 + token % 2 * 38, 302 + token % 4 / 2 * 34, 38, 34, token == 0 ? (Attention.Fill, Lit.Stroke) : seen(token) ? Attention : Empty, Number(token, 0), corner: 0, size: 13, code: true);
            canvas.Text(x + 38, 384, "time 1", size: 12, italic: true);
            canvas.Text(x + 130, 384, "time 2", size: 12, italic: true);
            canvas.Text(x + 84, 408, count, size: 13);
        }
        Looks(16, "joint: in space and time", "all T = G · N = 8", _ => true);
        Looks(266, "divided: first in time", "its place, G = 2", token => token % 4 == 0);
        Looks(516, "then in space", "its time, N = 4", token => token < 4);
        canvas.Arrow((452, 336), (504, 336));
        return canvas;
    }

    static SvgCanvas QueriesAndMatching()
    {
        double[][] queries = [[3, 0], [0, 3]], keys = [[2, 0], [0, 1], [1, 1], [0, 0]], values = [[10, 0], [0, 10], [4, 4], [1, 1]];
        (string Fill, string Stroke)[] asks = [ClassToken, ("#F9D9E8", "#A33B73")];
        double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
        double[] Softmax(double[] scores) => [.. scores.Select(x => Math.Exp(x) / scores.Sum(Math.Exp))];
        double[][] weights = [.. queries.Select(q => Softmax([.. keys.Select(k => Dot(q, k) / Math.Sqrt(2))]))];
        var canvas = new SvgCanvas("Queries look at tokens, and objects are matched with queries",
            "Above, cross-attention: two queries are compared with the keys of four tokens; softmax makes weights, and each query gets the weighted mean of the values. Below, matching: a table with the cost of each pair of three objects and three queries. Taking the cheapest pair first costs 13 in all, the best matching 7.", 470);
        canvas.Text(8, 18, "Cross-attention: queries from one side, keys and values from the other", anchor: "start", bold: true);
        canvas.Text(74, 46, "queries", bold: true, size: 13);
        canvas.Text(74, 62, "[Q, d]", code: true, size: 12);
        canvas.Text(222, 46, "keys", bold: true, size: 13);
        canvas.Text(222, 62, "[T, d]", code: true, size: 12);
        canvas.Text(400, 46, "weights", bold: true, size: 13);
        canvas.Text(400, 62, "[Q, T], rows sum to 1", code: true, size: 12);
        canvas.Text(560, 46, "values", bold: true, size: 13);
        canvas.Text(560, 62, "[T, d]", code: true, size: 12);
        canvas.Text(648, 46, "result", bold: true, size: 13);
        canvas.Text(648, 62, "[Q, d]", code: true, size: 12);
        for (var t = 0; t < 4; t++)
        {
            canvas.Text(180, 89 + t * 30, $"token {t}", anchor: "end", size: 12, fill: "#52606D");
            canvas.Row(186, 76 + t * 30, Whole(keys[t].Select(x => (int)x)), SixPatches[t], 36);
            canvas.Row(530, 76 + t * 30, Whole(values[t].Select(x => (int)x)), SixPatches[t], 30);
        }
        for (var q = 0; q < 2; q++)
        {
            var y = 90 + q * 60;
            canvas.Text(32, y + 15, $"{q}", anchor: "end", size: 12, fill: "#52606D");
            canvas.Row(38, y + 2, Whole(queries[q].Select(x => (int)x)), asks[q], 36);
            for (var t = 0; t < 4; t++)
            {
                var height = Math.Max(1.5, 34 * weights[q][t]);
                canvas.Box(312 + t * 46, y + 30 - height, 40, height, SixPatches[t], corner: 0);
                canvas.Text(332 + t * 46, y + 40, Number(weights[q][t], 2), size: 12, code: true);
            }
            canvas.Row(606, y + 2, Decimals(Enumerable.Range(0, 2).Select(d => Enumerable.Range(0, 4).Sum(t => weights[q][t] * values[t][d])), 2), asks[q], 44);
        }
        canvas.Text(134, 135, "·", size: 20);
        canvas.Arrow((264, 135), (300, 135));
        canvas.Text(282, 122, "softmax", size: 12, italic: true);
        canvas.Text(512, 135, "·", size: 20);
        canvas.Text(598, 135, "=", size: 18);

        canvas.Path([(8, 214), (692, 214)], "#CBD2D9");
        canvas.Text(8, 236, "Matching: each object takes one query, for the smallest sum", anchor: "start", bold: true);
        int[][] cost = [[1, 2, 8], [2, 9, 9], [9, 9, 3]];
        void Table(double x, string name, int[] chosen, string sum)
        {
            canvas.Text(x + 150, 264, name, size: 13, bold: true);
            for (var column = 0; column < 3; column++)
                canvas.Text(x + 118 + column * 64, 290, $"query {column}", size: 12, fill: "#52606D");
            for (var row = 0; row < 3; row++)
            {
                canvas.Text(x + 78, 319 + row * 38, $"object {row}", anchor: "end", size: 12, fill: "#52606D");
                for (var column = 0; column < 3; column++)
                    canvas.Box(x + 88 + column * 64, 302 + row * 38, 60, 34, chosen[row] == column ? Attention : Empty, Number(cost[row][column], 0), bold: chosen[row] == column, code: true);
            }
            canvas.Text(x + 150, 434, sum, size: 14);
        }
        Table(20, "the cheapest pair first", [0, 1, 2], "1 + 9 + 3 = 13");
        Table(360, "the best matching", [1, 0, 2], "2 + 2 + 3 = 7");
        canvas.Text(350, 458, "A query that no object takes has to say “no object”.", size: 13);
        return canvas;
    }

    static SvgCanvas TokensToMask()
    {
        int[][] tokens = [[-2, -2, -2], [0, 0, 0], [-2, -2, 7], [-2, 7, -2], [0, 0, 1], [7, -2, -2]];
        int[][] weight = [[1, 0, 0, -1], [0, 1, 0, -1], [0, 0, 1, -1]];
        int[] bias = [1, 1, 1, 2];
        int[][] logits = [.. tokens.Select(z => Enumerable.Range(0, 4).Select(pixel => bias[pixel] + Enumerable.Range(0, 3).Sum(d => z[d] * weight[d][pixel])).ToArray())];
        var canvas = new SvgCanvas("Each token becomes a patch of the mask",
            "An image of 4 by 6 pixels in six patches goes through the encoder, which gives six tokens of three numbers. One linear layer turns each token into four logits, one for each pixel of its patch. Where a logit is above 0, the mask is 1.", 292);
        canvas.Text(72, 24, "image", bold: true);
        canvas.Text(72, 42, "[1, 1, 4, 6]", code: true, size: 12);
        canvas.Text(640, 24, "mask", bold: true);
        canvas.Text(640, 42, "[1, 1, 4, 6]", code: true, size: 12);
        for (var pixel = 0; pixel < 24; pixel++)
        {
            var (row, column) = (pixel / 6, pixel % 6);
            var patch = row / 2 * 3 + column / 2;
            canvas.Box(15 + column * 19, 100 + row * 19, 19, 19, SixPatches[patch], corner: 0);
            var inside = logits[patch][row % 2 * 2 + column % 2] > 0;
            canvas.Box(583 + column * 19, 100 + row * 19, 19, 19, inside ? (SixPatches[patch].Stroke, "#1F2933") : ("#FFFFFF", "#7B8794"), corner: 0);
        }
        canvas.Arrow((132, 138), (148, 138));
        canvas.Box(150, 84, 62, 108, Attention, "encoder", size: 13, bold: true);
        canvas.Arrow((214, 138), (228, 138));
        canvas.Text(278, 24, "tokens z", bold: true);
        canvas.Text(278, 42, "[6, 3]", code: true, size: 12);
        canvas.Text(386, 24, "W and b", bold: true);
        canvas.Text(386, 42, "[3, 4], [4]", code: true, size: 12);
        canvas.Text(508, 24, "logits", bold: true);
        canvas.Text(508, 42, "[6, 4]", code: true, size: 12);
        for (var patch = 0; patch < 6; patch++)
        {
            canvas.Row(233, 60 + patch * 26, Whole(tokens[patch]), SixPatches[patch], 30);
            canvas.Row(456, 60 + patch * 26, Whole(logits[patch]), SixPatches[patch], 27);
        }
        canvas.Text(328, 138, "·", size: 20);
        for (var d = 0; d < 3; d++)
            canvas.Row(337, 82 + d * 26, Whole(weight[d]), Weight, 25);
        canvas.Text(387, 170, "+", size: 18);
        canvas.Row(337, 182, Whole(bias), Weight, 25);
        canvas.Text(446, 138, "=", size: 18);
        canvas.Arrow((566, 138), (580, 138));
        canvas.Text(15, 246, "The third patch: its token is −2, −2, 7, its logits are −1, −1, 8, −1. Only the third is above 0:", anchor: "start", size: 13);
        canvas.Text(15, 266, "the pixel in the lower left corner of the patch is brain, the other three are not.", anchor: "start", size: 13);
        return canvas;
    }
}
