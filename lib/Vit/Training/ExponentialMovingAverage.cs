using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>The exponential moving average of a model's parameters and buffers (EMA).</summary>
sealed class ExponentialMovingAverage : IDisposable
{
    readonly Dictionary<string, Tensor> averages = [];
    readonly Dictionary<string, Tensor> current = [];
    readonly double decay;

    /// <summary>Starts from the model's weights.</summary>
    /// <param name="model">Move it to its device first.</param>
    /// <param name="decay">What each step keeps of the average, in [0, 1).</param>
    public ExponentialMovingAverage(nn.Module model, double decay)
    {
        this.decay = decay;
        using var noGradients = no_grad();
        foreach (var (name, tensor) in model.state_dict())
        {
            current[name] = tensor;
            averages[name] = tensor.detach().clone().DetachFromDisposeScope();
        }
    }

    /// <summary>The averages by name; they are the object's own.</summary>
    public IReadOnlyDictionary<string, Tensor> State => averages;

    /// <summary>Takes the weights after a step into the average; in the first steps they count for more.</summary>
    /// <param name="step">Steps taken, from 1.</param>
    public void Update(long step)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var keep = Math.Min(decay, (1.0 + step) / (10 + step));
        foreach (var (name, average) in averages)
            if (average.is_floating_point())
                average.lerp_(current[name], 1 - keep);
            else
                average.copy_(current[name]);
    }

    /// <summary>Whether the averages stand in the model, and the model's weights here.</summary>
    public bool InModel { get; private set; }

    /// <summary>Exchanges the model's weights and the averages, unless they stand where they are wanted.</summary>
    /// <param name="inModel">Where the averages are wanted.</param>
    public void Exchange(bool inModel)
    {
        if (InModel == inModel)
            return;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (name, average) in averages)
        {
            var kept = average.clone();
            average.copy_(current[name]);
            current[name].copy_(kept);
        }
        InModel = inModel;
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach (var average in averages.Values)
            average.Dispose();
        averages.Clear();
    }
}
