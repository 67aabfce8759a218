namespace Benchmarks;

/// <param name="Threads">For libtorch and ONNX Runtime alike.</param>
/// <param name="Rounds">How often each thing is measured; what is compared takes turns.</param>
/// <param name="Quick">Whether the models are small, to see that all runs.</param>
sealed record Options(int Threads, int Rounds, bool Quick)
{
    public static Options? Parse(IEnumerable<string> arguments)
    {
        var options = new Options(Environment.ProcessorCount, 15, false);
        using var rest = arguments.GetEnumerator();
        while (rest.MoveNext())
        {
            if (rest.Current == "--quick")
                options = options with { Quick = true, Rounds = Math.Min(options.Rounds, 3) };
            else if (rest.Current is "--threads" or "--rounds" && rest.Current is var name && rest.MoveNext() && int.TryParse(rest.Current, out var number) && number > 0)
                options = name == "--threads" ? options with { Threads = number } : options with { Rounds = number };
            else
                return null;
        }
        return options;
    }
}
