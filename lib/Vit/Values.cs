using System.Collections.ObjectModel;

namespace Vit;

/// <summary>A list that equals another one of the same items, so that a record that holds it compares by value.</summary>
sealed class Values<T>(IEnumerable<T> items) : ReadOnlyCollection<T>([.. items])
{
    public override bool Equals(object? other) => other is Values<T> values && values.SequenceEqual(this);

    public override int GetHashCode() => this.Aggregate(Count, HashCode.Combine);

    public override string ToString() => $"[{string.Join(", ", this)}]";
}
