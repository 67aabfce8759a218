using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Adam with decoupled weight decay (arXiv:1711.05101, algorithm 2) over a module's parameters.</summary>
/// <remarks>
/// Matrices and kernels decay; biases, norms, tokens and positions do not (see <see cref="Decays"/>). Parameters
/// without a gradient are left as they are. The moments of all parameters lie in two tensors, one parameter after the
/// other, so that a step takes a few large operations instead of several small ones for each parameter.
/// </remarks>
public sealed class AdamW : IDisposable
{
    const string StepName = "step";

    // Where the parameter's moments start in those of all, and its part of them.
    readonly record struct Slot(string Name, Parameter Parameter, long Start, Tensor Mean, Tensor Square, double Decay)
    {
        public long End => Start + Mean.numel();
    }

    readonly List<Slot> slots = [];
    readonly Tensor means, squares;
    readonly double beta1, beta2, epsilon;
    long step;

    /// <summary>Creates the optimiser, with fresh moments on the parameters' device.</summary>
    /// <param name="model">Its parameters are those at this moment; move it to its device first.</param>
    /// <param name="weightDecay">λ, at least 0.</param>
    /// <param name="beta1">The decay of the mean gradient, in [0, 1).</param>
    /// <param name="beta2">The decay of the mean squared gradient, in [0, 1).</param>
    /// <param name="epsilon">Added to the denominator; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public AdamW(nn.Module model, double weightDecay = 0.05, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        // Written so that NaN is outside of every range.
        if (!(weightDecay >= 0))
            throw new ArgumentOutOfRangeException(nameof(weightDecay), weightDecay, "The weight decay is at least 0.");
        foreach (var (beta, name) in new[] { (beta1, nameof(beta1)), (beta2, nameof(beta2)) })
            if (!(beta >= 0 && beta < 1))
                throw new ArgumentOutOfRangeException(name, beta, $"{name} is from 0 to less than 1.");
        if (!(epsilon > 0))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "ε is above 0.");
        (this.beta1, this.beta2, this.epsilon) = (beta1, beta2, epsilon);
        using var scope = NewDisposeScope();
        var parameters = model.named_parameters().ToArray();
        var length = parameters.Sum(it => it.parameter.numel());
        var device = parameters.Select(it => it.parameter.device).FirstOrDefault(CPU);
        (means, squares) = (zeros(length, float32, device).DetachFromDisposeScope(), zeros(length, float32, device).DetachFromDisposeScope());
        var start = 0L;
        foreach (var (name, parameter) in parameters)
        {
            Tensor Part(Tensor all) => all.narrow(0, start, parameter.numel()).view(parameter.shape).DetachFromDisposeScope();
            slots.Add(new(name, parameter, start, Part(means), Part(squares), Decays(name, parameter) ? weightDecay : 0));
            start += parameter.numel();
        }
    }

    /// <summary>Whether a parameter decays: a layer's weight of two dimensions or more.</summary>
    public static bool Decays(string name, Tensor parameter) =>
        parameter.dim() >= 2 && (name == "weight" || name.EndsWith(".weight", StringComparison.Ordinal));

    /// <summary>
    /// The moments of every parameter (<c>NAME.exp_avg</c>, <c>NAME.exp_avg_sq</c>, PyTorch's names) and the number of
    /// steps (<c>step</c>, int64). The moments are the optimiser's own, the step is a copy.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor> { [StepName] = tensor(step) };
            foreach (var slot in slots)
                (state[$"{slot.Name}.exp_avg"], state[$"{slot.Name}.exp_avg_sq"]) = (slot.Mean, slot.Square);
            return state;
        }
    }

    /// <summary>Goes on from a state.</summary>
    /// <exception cref="ArgumentException">The state is of another model; nothing is changed.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        var own = State;
        using var ownStep = own[StepName];
        foreach (var (name, tensor) in own)
            if (!state.TryGetValue(name, out var given))
                throw new ArgumentException($"The state lacks '{name}'.", nameof(state));
            else if (!given.shape.SequenceEqual(tensor.shape))
                throw new ArgumentException($"The state's '{name}' is {Shape.Of(given)}, expected was {Shape.Of(tensor)}.", nameof(state));
        if (state.Keys.FirstOrDefault(name => !own.ContainsKey(name)) is string unknown)
            throw new ArgumentException($"The state has '{unknown}', which is of no parameter of this model.", nameof(state));
        using var noGradients = no_grad();
        step = state[StepName].to(int64).item<long>();
        foreach (var (name, tensor) in own)
            if (name != StepName)
                tensor.copy_(state[name]);
    }

    /// <summary>Forgets the gradients.</summary>
    public void ZeroGrad()
    {
        foreach (var slot in slots)
            slot.Parameter.grad = null;
    }

    /// <summary>
    /// Moves every parameter that has a gradient. Where a gradient is not finite, nothing moves and the norm that is
    /// returned says so.
    /// </summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="clipNorm">Gradients longer than this, all parameters taken together, are cut to it; null for none.</param>
    /// <returns>The length of the gradient before it was cut.</returns>
    public double Step(double learningRate, double? clipNorm = null)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var moving = slots.Select(slot => (Slot: slot, Gradient: slot.Parameter.grad)).Where(it => it.Gradient is not null).ToList();
        if (moving.Count == 0)
            return 0;
        // Neighbours go together; where no parameter is frozen, that is all of them.
        var gradients = new List<(List<Slot> Slots, Tensor Flat)>();
        for (var first = 0; first < moving.Count;)
        {
            var end = first + 1;
            while (end < moving.Count && moving[end].Slot.Start == moving[end - 1].Slot.End)
                end++;
            var run = moving[first..end];
            gradients.Add(([.. run.Select(it => it.Slot)], cat([.. run.Select(it => it.Gradient!.reshape(-1))])));
            first = end;
        }
        double norm = stack(gradients.Select(it => it.Flat.norm())).norm().item<float>();
        if (!double.IsFinite(norm))
            return norm;
        step++;
        var (correction1, correction2) = (1 - Math.Pow(beta1, step), 1 - Math.Pow(beta2, step));
        foreach (var (run, gradient) in gradients)
        {
            if (clipNorm is double most && norm > most)
                gradient.mul_(most / norm);
            var start = run[0].Start;
            var (mean, square) = (means.narrow(0, start, gradient.numel()), squares.narrow(0, start, gradient.numel()));
            mean.mul_(beta1).add_(gradient, 1 - beta1);
            square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
            var direction = mean / square.sqrt().div_(Math.Sqrt(correction2)).add_(epsilon);
            foreach (var slot in run)
            {
                if (slot.Decay > 0)
                    slot.Parameter.mul_(1 - learningRate * slot.Decay);
                slot.Parameter.add_(direction.narrow(0, slot.Start - start, slot.End - slot.Start).view_as(slot.Parameter), -learningRate / correction1);
            }
        }
        return norm;
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }
        means.Dispose();
        squares.Dispose();
        slots.Clear();
    }
}
