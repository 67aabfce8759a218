using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The gradient of the soft loss, τ² KL(teacher ‖ student), with respect to the student's logits.</summary>
    /// <param name="gradient">From the student's and the teacher's logits, [K] each, and τ to [K].</param>
    public static string SoftGradient(Func<Tensor, Tensor, double, Tensor> gradient)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(15);
        foreach (var temperature in new[] { 1.0, 3.0, 0.5 })
        {
            var (student, teacher) = (2 * randn([5], generator: generator), 2 * randn([5], generator: generator));
            var yours = gradient(student.clone(), teacher.clone(), temperature);
            if (!yours.shape.SequenceEqual(student.shape))
                return WrongShape(yours, "[K]");
            Tensor Of(double tau) => (student / tau).softmax(0) - (teacher / tau).softmax(0);
            bool Is(Tensor other) => Same(yours, other);
            if (Is(temperature * Of(temperature)))
                continue;
            if (yours.count_nonzero().item<long>() == 0)
                return "Not yet: it is zero only where student and teacher agree.";
            if (Is(-temperature * Of(temperature)))
                return "Not yet: the sign is wrong; a step against this gradient leads away from the teacher.";
            if (Is(temperature * temperature * Of(temperature)))
                return "Not yet: the logits are divided by τ inside the softmax, and the chain rule takes that along.";
            if (Is(Of(temperature) / temperature))
                return "Not yet: this is the gradient without the factor τ² in front of the loss.";
            if (Is(Of(temperature)) || Is(temperature * Of(1)))
                return "Not yet: at τ = 1 it is right. Where does τ stand, and how often?";
            return "Not yet: begin at τ = 1, where cross-entropy with the teacher's probabilities as targets has the same gradient.";
        }
        return "Right: without the factor it would shrink as 1/τ²; with it, the two losses keep their balance.";
    }

    /// <summary>The answer of two heads, whose probabilities are mixed.</summary>
    /// <param name="mixed">From the class and the distillation token's logits, [B, K] each, and the second one's weight to probabilities, [B, K].</param>
    public static string MixedHeads(Func<Tensor, Tensor, double, Tensor> mixed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (c, d) = (3 * randn([4, 6], generator: generator), 3 * randn([4, 6], generator: generator));
        var yours = mixed(c.clone(), d.clone(), 0.25);
        if (!yours.shape.SequenceEqual(c.shape))
            return WrongShape(yours, "[B, K]");
        bool Is(Tensor other) => Same(yours, other);
        if (Is(0.75 * c.softmax(1) + 0.25 * d.softmax(1)))
            return "Right: a weighted mean of two distributions is a distribution.";
        if (Is((0.75 * c + 0.25 * d).softmax(1)))
            return "Not yet: this mixes the logits, where a head that is very sure overrules the other. Mix what comes after the softmax.";
        if (Is(0.25 * c.softmax(1) + 0.75 * d.softmax(1)))
            return "Not yet: the weight belongs to the other token.";
        if (Is((c.softmax(1) + d.softmax(1)) / 2))
            return "Not yet: the weight is not used.";
        if (Is(c.softmax(1)) || Is(d.softmax(1)))
            return "Not yet: one of the heads is not heard.";
        if (Is(0.75 * c.softmax(0) + 0.25 * d.softmax(0)))
            return "Not yet: each image's probabilities sum to 1, not each class's.";
        return Same(yours.sum([1]), ones(4)) ? "Not yet: each row is a distribution, but another one." : "Not yet: each row must sum to 1.";
    }
}
