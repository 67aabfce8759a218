using CSharpKernel.Documents;

namespace Notebooks.Tests;

/// <summary>Exercises and their solutions belong together. That the committed outputs are what running gives is tested elsewhere.</summary>
public sealed class ExerciseTests
{
    const string Check = "check";

    public static TheoryData<string> Notebooks => [.. TheSeries.Series.Names.Where(name => !IsSolution(name))];

    [Theory, MemberData(nameof(Notebooks))]
    public void A_notebook_has_exercises_that_are_not_solved_yet(string name)
    {
        var answers = Answers(name);
        Assert.InRange(answers.Count, 2, 3);
        Assert.All(answers, answer => Assert.StartsWith("Not yet:", answer));
    }

    [Theory, MemberData(nameof(Notebooks))]
    public void Its_solutions_pass_the_same_checks(string name)
    {
        var solutions = $"solutions/{name}";
        Assert.Contains(solutions, TheSeries.Series.Names);
        Assert.Equal(Checks(name).Select(cell => cell.Source), Checks(solutions).Select(cell => cell.Source));
        Assert.All(Answers(solutions), answer => Assert.StartsWith("Right", answer));
    }

    [Fact]
    public void There_are_no_solutions_without_a_notebook() =>
        Assert.All(TheSeries.Series.Names.Where(IsSolution), name => Assert.Contains(name["solutions/".Length..], TheSeries.Series.Names));

    static bool IsSolution(string name) => name.StartsWith("solutions/", StringComparison.Ordinal);

    static List<NotebookCell> Checks(string name) =>
        [.. Notebook.Load(TheSeries.PathOf(name)).Cells.Where(cell => cell.Tags.Contains(Check))];

    static List<string> Answers(string name) =>
        [.. Checks(name).Select(cell => string.Concat(cell.Outputs.Select(output => NotebookCell.Text(output!["text"]))))];
}
