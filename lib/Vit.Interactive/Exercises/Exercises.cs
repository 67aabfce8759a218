using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>
/// The checks of the notebooks' exercises: each takes an answer and says whether it is right, or which mistake it shows.
/// The formulas stand here, so that the notebooks do not give them away.
/// </summary>
/// <remarks>
/// Each method returns "Right: …" or "Not yet: …". A reader's own exception comes through. Random numbers are drawn apart
/// from the notebook's.
/// </remarks>
public static partial class Exercises
{
    /// <summary>Whether two tensors have one shape and differ nowhere by more than the rounding of float32.</summary>
    static bool Same(Tensor yours, Tensor expected, double tolerance = 1e-5) =>
        yours.shape.SequenceEqual(expected.shape) && (yours - expected).abs().max().item<float>() < tolerance;

    /// <summary>Makes a model, whose first weights are drawn from torch's own generator, and leaves that as it was.</summary>
    static T Apart<T>(Func<T> make)
    {
        using var state = Generator.Default.get_state();
        try
        {
            return make();
        }
        finally
        {
            Generator.Default.set_state(state);
        }
    }

    static string WrongShape(Tensor yours, string expected) => $"Not yet: the shape is {Shape.Of(yours)}, it should be {expected}.";
}
