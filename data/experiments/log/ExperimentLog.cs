using System.Globalization;

/// <summary>The results of an experiment in a CSV file, a line for each run; what stands there is not run again.</summary>
sealed class ExperimentLog
{
    readonly string file;
    readonly List<string> lines;

    /// <summary>Where the program lies, and its results.</summary>
    public static string Folder { get; } = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;

    /// <summary>Where Fashion-MNIST lies.</summary>
    public static string FashionMnist { get; } = Path.Combine(Folder, "..", "fashion-mnist");

    /// <param name="name">The file's name; it lies beside the program.</param>
    /// <param name="header">The names of the columns, between semicolons: first what tells a run from the others, then its results.</param>
    public ExperimentLog(string name, string header)
    {
        file = Path.Combine(Folder, name);
        lines = File.Exists(file) ? [.. File.ReadAllLines(file)] : [header];
        if (lines[0] != header)
            throw new InvalidDataException($"{file} has the columns {lines[0]}, expected were {header}.");
    }

    /// <summary>The results of a run, from the file or, if they are not there, from running it.</summary>
    /// <param name="run">What tells the run from the others, between semicolons.</param>
    /// <param name="results">Fractions, written with four decimals; NaN leaves a column empty.</param>
    public double[] Results(FormattableString run, Func<double[]> results)
    {
        var key = run.ToString(CultureInfo.InvariantCulture) + ";";
        if (lines.Find(line => line.StartsWith(key, StringComparison.Ordinal)) is not { } known)
        {
            known = key + string.Join(';', results().Select(it => double.IsNaN(it) ? "" : it.ToString("F4", CultureInfo.InvariantCulture)));
            Add(known);
            Console.WriteLine($"{DateTime.Now:T}  {known}");
        }
        // As the file has them, so that a run which went on after a stop decides as one without.
        return [.. known[key.Length..].Split(';').Select(it => it.Length == 0 ? double.NaN : double.Parse(it, CultureInfo.InvariantCulture))];
    }

    // Another process may train other lines of the same table.
    void Add(string line)
    {
        using var turn = new Mutex(initiallyOwned: false, $"vit-notebooks-{Path.GetFileName(file)}");
        turn.WaitOne();
        try
        {
            lines.AddRange(File.Exists(file) ? File.ReadAllLines(file).Except(lines) : []);
            lines.Add(line);
            File.WriteAllText($"{file}.new", string.Concat(lines.Select(line => $"{line}\n")));
            File.Move($"{file}.new", file, overwrite: true);
        }
        finally
        {
            turn.ReleaseMutex();
        }
    }

    /// <summary>The learning rate with the highest score, among rates of which each is a factor times the one before; those to either side of it have been tried.</summary>
    /// <param name="first">Where the search begins.</param>
    /// <param name="score">Of the validation images, never of the test images.</param>
    /// <param name="factor">2 or the root of 10.</param>
    public static double BestRate(double first, Func<double, double> score, double factor = 2)
    {
        var known = new Dictionary<int, double>();
        double Rate(int at) => double.Parse((first * Math.Pow(factor, at)).ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        for (var best = 0; ; best = known.MaxBy(it => it.Value).Key)
        {
            if (known.ContainsKey(best - 1) && known.ContainsKey(best + 1))
                return Rate(best);
            foreach (var at in new[] { best, best - 1, best + 1 })
                if (!known.ContainsKey(at))
                    known.Add(at, score(Rate(at)));
        }
    }

    /// <summary>Looks for the best rate with the first seed, runs every seed with it, and tells the mean of what they reach on the test images.</summary>
    /// <param name="name">What was trained.</param>
    /// <param name="first">Where the search begins.</param>
    /// <param name="run">From a rate and a seed to the scores of the validation and of the test images.</param>
    /// <returns>The best rate.</returns>
    public static double Sweep(string name, double first, IReadOnlyList<int> seeds, Func<double, int, double[]> run)
    {
        var best = BestRate(first, rate => run(rate, seeds[0])[0]);
        Console.WriteLine($"{name}: {Spread([.. seeds.Select(seed => run(best, seed)[1])])} % at {best}");
        return best;
    }

    /// <summary>The learning rate when a part of the steps, from 0 to 1, is done: a straight line up in the share that warms up, then half a cosine.</summary>
    public static double RateAt(double rate, double part, double warmUp) => rate * Math.Min(part / warmUp, 0.5 + 0.5 * Math.Cos(Math.PI * part));

    /// <summary>The mean and the standard deviation, in percent.</summary>
    public static string Spread(IReadOnlyCollection<double> fractions)
    {
        var mean = fractions.Average();
        var deviation = Math.Sqrt(fractions.Sum(it => (it - mean) * (it - mean)) / (fractions.Count - 1));
        return string.Create(CultureInfo.InvariantCulture, $"{100 * mean:F1} ± {100 * deviation:F1}");
    }
}
