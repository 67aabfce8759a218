using Benchmarks;
using TorchSharp;
using Vit.Training;

var benchmarks = new (string Verb, string What, Action<Options> Run)[]
{
    ("training-step", "a training step of a small ViT against the matrix product", TrainingStep.Run),
    ("sizes", "images a second and memory of Ti/16 and S/16, and how both grow with resolution", Sizes.Run),
    ("onnx", "ViT-B/16 against ONNX Runtime", AgainstOnnxRuntime.Run),
    ("kernel", "the notebooks' kernel, as a client sees it", KernelBenchmark.Run),
    ("loading", "time and memory to load each format against reading the file once", Loading.Run),
    ("pictures", "pictures from files to tensors, by ImageSharp as the library takes it and by SkiaSharp", Pictures.Run),
};
if (args is [Loading.Child, .. var loading])
    return Loading.RunChild(loading);
if (args is [Sizes.Child, .. var size])
    return Sizes.RunChild(size);
var verb = args.FirstOrDefault();
if (Options.Parse(args.Skip(1)) is not { } options || verb != "all" && benchmarks.All(it => it.Verb != verb))
{
    Console.Error.WriteLine("Benchmarks all|VERB [--threads N] [--rounds N] [--quick]");
    foreach (var it in benchmarks)
        Console.Error.WriteLine($"  {it.Verb,-14} {it.What}");
    return 2;
}
torch.set_num_threads(options.Threads);
ComputeDevice.TuneProcess();
foreach (var it in benchmarks.Where(it => verb == "all" || it.Verb == verb))
{
    Console.WriteLine($"\n## {it.Verb}: {it.What}\n");
    it.Run(options);
}
return 0;
