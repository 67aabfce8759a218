using System.CommandLine;
using System.Globalization;
using CSharpKernel.Jupyter;
using Notebooks;

var root = Series.FindRoot(AppContext.BaseDirectory);
var names = new Argument<string[]>("notebook")
{
    Description = "Which to run: 04, 04-position-embedding, solutions, solutions/04 … (default: all, then their solutions)",
    Arity = ArgumentArity.ZeroOrMore,
};
var inPlace = new Option<bool>("--in-place") { Description = "Refresh the outputs that are committed; draws charts in Chromium, from PATH or the variable CHROMIUM" };
var timeout = new Option<double?>("--cell-timeout")
{
    Description = "The longest that a cell may take",
    HelpName = "SECONDS",
    CustomParser = result =>
    {
        if (double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e6)
        {
            return seconds;
        }

        result.AddError("--cell-timeout takes a number of seconds above 0.");
        return null;
    },
};
var command = new RootCommand("Runs the notebooks of the series in order, each in a fresh process. Executed copies go to artifacts/notebooks/.")
{
    names,
    inPlace,
    timeout,
};
command.SetAction(async (arguments, cancellation) =>
{
    var series = new Series(Path.Combine(root, "notebooks"));
    var run = new SeriesRun(series, Path.Combine(root, "artifacts", "notebooks"), Console.Out, live: !Console.IsOutputRedirected)
    {
        CellTimeout = arguments.GetValue(timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        Pictures = arguments.GetValue(inPlace) ? new ChartPictures(Path.Combine(root, "lib", "bin", "Plotly.NET.dll")) : null,
    };
    return await run.Run(arguments.GetValue(names) ?? [], cancellation);
});
var prefix = new Option<string?>("--prefix") { Description = "Below which share/jupyter/kernels stands (default: the current user's folder)", HelpName = "FOLDER" };
var kernelName = new Option<string?>("--name") { Description = $"The kernelspec's name (default: {KernelSpecs.PreferredName}, by which the notebooks are matched)", HelpName = "NAME" };
var vsCode = new Option<bool>("--vscode") { Description = "Adds what completion in VS Code needs to its user's settings on this machine" };
var install = new Command("install", "Installs the kernel of this repository for Jupyter's front ends.") { prefix, kernelName, vsCode };
install.SetAction(async (arguments, cancellation) =>
    await KernelInstaller.Install(arguments.GetValue(prefix), arguments.GetValue(kernelName), target => KernelInstallation.Build(root, target, cancellation)) is var code and not 0
        ? code
        : new VsCode(Environment.GetEnvironmentVariable).SetUpCompletion(arguments.GetValue(vsCode)));
var uninstall = new Command("uninstall", "Removes what install has put there; kernels of other programs stay.") { prefix, kernelName };
uninstall.SetAction(arguments => KernelInstaller.Uninstall(arguments.GetValue(prefix), arguments.GetValue(kernelName)));
var models = new Argument<string[]>("model") { Description = "Which to fetch (default: none, they are listed)", Arity = ArgumentArity.ZeroOrMore };
models.AcceptOnlyFromAmong([.. PublishedWeights.All.Select(m => m.Name)]);
var weights = new Command("weights", "Fetches published weights from the Hugging Face hub into data/weights; HF_ENDPOINT, HF_TOKEN and HTTPS_PROXY are respected.") { models };
weights.SetAction((arguments, cancellation) => new PublishedWeights(
    Path.Combine(root, "data", "weights"), Path.Combine(root, "artifacts", "weights"), Console.Out, live: !Console.IsOutputRedirected)
    .Run(arguments.GetValue(models) ?? [], Environment.GetEnvironmentVariable, cancellation));
var drawings = new Command("drawings", "Writes the SVG files of notebooks/images again: the model with a notebook's parts lit, and the mechanisms.");
drawings.SetAction(_ =>
{
    var images = Path.Combine(root, "notebooks", "images");
    ModelDrawing.WriteAll(images);
    MechanismDrawings.WriteAll(images);
});
command.Add(weights);
command.Add(drawings);
command.Add(install);
command.Add(uninstall);
return await command.Parse(args).InvokeAsync();
