namespace Vit.Weights;

/// <summary>Where a checkpoint and a model differ.</summary>
/// <param name="Missing">What the model needs and the checkpoint lacks, by the checkpoint's names.</param>
/// <param name="Unexpected">What the checkpoint has and the model does not.</param>
/// <param name="WrongShapes">What both have in different shapes; each entry tells name and both shapes.</param>
public sealed record WeightMismatch(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<string> WrongShapes)
{
    /// <summary>What the model needs and the checkpoint lacks, by the checkpoint's names.</summary>
    public IReadOnlyList<string> Missing { get; } = new Values<string>(Missing);

    /// <summary>What the checkpoint has and the model does not.</summary>
    public IReadOnlyList<string> Unexpected { get; } = new Values<string>(Unexpected);

    /// <summary>What both have in different shapes; each entry tells name and both shapes.</summary>
    public IReadOnlyList<string> WrongShapes { get; } = new Values<string>(WrongShapes);

    /// <summary>Whether they do not differ.</summary>
    public bool IsEmpty => Missing.Count + Unexpected.Count + WrongShapes.Count == 0;

    /// <summary>All names, by kind of difference.</summary>
    public override string ToString() => string.Join(" ", new[]
    {
        Told("Missing from the file", Missing), Told("Unexpected in the file", Unexpected), Told("Of another shape", WrongShapes),
    }.Where(part => part != ""));

    static string Told(string what, IReadOnlyList<string> names) => names.Count == 0 ? "" : $"{what}: {string.Join(", ", names)}.";
}
