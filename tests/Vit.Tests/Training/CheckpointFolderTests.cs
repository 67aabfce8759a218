using System.Text.Json.Nodes;
using Vit.Data;
using Vit.Tests.Weights;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

public class CheckpointFolderTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static Trainer Make(nn.Module<Tensor, Tensor> model, string folder, Recipe? recipe = null, int keep = 3) =>
        new(model, Small.Images(90, 1), Small.Images(30, 2), recipe ?? Small.FullRecipe) { Checkpoints = new CheckpointFolder(folder, keep) };

    [Fact]
    public void Keeps_the_newest_the_best_and_a_log()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName, keep: 2);
        trainer.Run(Stop).Count();
        Assert.Equal([".lock", "best.safetensors", "log.csv", "step-000000012.safetensors", "step-000000018.safetensors"], folder.Files);
        Assert.Equal(4, File.ReadLines(folder["log.csv"]).Count());
        Assert.Equal(folder["step-000000018.safetensors"], trainer.Checkpoints!.Latest);

        var last = TrainingCheckpoint.Open(trainer.Checkpoints.Latest!);
        Assert.Equal((18, Small.FullRecipe.ToJson()), (last.Step, last.Recipe.ToJson()));
        Assert.Equal(trainer.History, last.History);
        using var loaded = Small.Model(seed: 2);
        last.LoadWeights(loaded);
        Assert.Equal(Small.Bits(model), Small.Bits(loaded));
        last.LoadWeights(loaded, averaged: false);
        Assert.NotEqual(Small.Bits(model), Small.Bits(loaded));

        var best = TrainingCheckpoint.Open(trainer.Checkpoints.Best!);
        Assert.Equal(trainer.History.Last(epoch => epoch.Best), best.History[^1]);
    }

    [Fact]
    public void Each_opens_as_a_model_with_its_class_names()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName);
        trainer.Run(Stop).Count();
        var validation = Small.Images(30, 2);
        using (var loaded = Pretrained.Load<Vit.Models.VisionTransformer>(trainer.Checkpoints!.Latest!))
        {
            Assert.Equal(Small.Bits(model), Small.Bits(loaded.Model));
            Assert.Equal((Small.Config, validation.Preprocessing, CheckpointKind.Training), (loaded.Model.Config, loaded.Preprocessing, loaded.Kind));
            Assert.Equal(["top", "middle", "bottom"], loaded.ClassNames);
            Assert.False(loaded.Model.training);
            Assert.Equal("middle", loaded.Classify(validation.Read([1]).Images[0])[0].Class);
        }
        // The folder is that of its best.
        using (var best = Pretrained.Load(folder.FullName))
            Assert.Equal(trainer.History.Max(epoch => epoch.Top1), Evaluation.Of(best.Model, validation, cancellation: Stop).Top1);
        Assert.Throws<InvalidDataException>(() => Pretrained.Load<Vit.Models.SwinTransformer>(folder.FullName));
        Assert.Throws<ArgumentException>(() => Pretrained.Load(folder.FullName, new() { Classes = 5 }));
    }

    public static TheoryData<string> Models => ["SwinTransformer", "HybridVisionTransformer", "ConvNet", "VideoTransformer"];

    static nn.Module<Tensor, Tensor> Create(string name, int seed)
    {
        random.manual_seed(seed);
        return name switch
        {
            "SwinTransformer" => new Vit.Models.SwinTransformer(new() { ImageHeight = 12, ImageWidth = 12, Channels = 1, PatchSize = 3, WindowSize = 2, Width = 8, Depths = [1, 1], Heads = [1, 2], Classes = 3 }),
            "HybridVisionTransformer" => new Vit.Models.HybridVisionTransformer(new() { Encoder = Small.Config with { PatchSize = 1 }, Stages = [] }),
            "ConvNet" => new Vit.Models.ConvNet(new() { Channels = 1, Widths = [16, 16], Classes = 3 }),
            _ => new Vit.Models.VideoTransformer(new() { Frames = 1, TubeletFrames = 1, Channels = 1, ImageHeight = 12, ImageWidth = 12, PatchSize = 4, Layers = 1, Width = 16, MlpWidth = 32, Heads = 2, Classes = 3 }),
        };
    }

    [Theory, MemberData(nameof(Models))]
    public void Every_model_resumes_and_opens_again(string name)
    {
        var recipe = Small.Recipe with { Epochs = 2, EmaDecay = 0.5 };
        using var straight = Create(name, 1);
        using (var trainer = new Trainer(straight, Small.Images(90, 1), Small.Images(30, 2), recipe))
            Assert.Equal(2, trainer.Run(Stop).Count());

        using var folder = new TemporaryFolder();
        using (var model = Create(name, 1))
        using (var trainer = Make(model, folder.FullName, recipe))
            trainer.Run(Stop).First();
        using var resumed = Create(name, 2);
        using (var trainer = Make(resumed, folder.FullName, recipe))
        {
            Assert.Equal(2, trainer.Run(Stop).Last().Epoch);
            Assert.Equal(Small.Bits(straight), Small.Bits(resumed));
            using var loaded = Pretrained.Load(trainer.Checkpoints!.Latest!);
            Assert.Equal(name, loaded.Model.GetType().Name);
            Assert.Equal(Small.Bits(straight), Small.Bits(loaded.Model));
        }
    }

    [Fact]
    public void A_disk_without_room_and_other_images_are_told()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using (var trainer = Make(model, folder.FullName, keep: int.MaxValue))
            Assert.Contains("MB free", Assert.Throws<IOException>(() => trainer.Run(Stop).First()).Message);
        using (var trainer = Make(model, folder.FullName))
            trainer.Run(Stop).First();
        var set = Small.Images(90, 1);
        var other = new ImageSet(set.Images, set.Labels, set.ClassNames, Normalization.Half);
        using var resumed = new Trainer(model, other, other, Small.FullRecipe) { Checkpoints = new CheckpointFolder(folder.FullName) };
        Assert.Contains("is of a training on images of", Assert.Throws<InvalidOperationException>(() => resumed.Run(Stop).First()).Message);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"VisionTransformer\": {\"PatchSize\": 4, \"Layers\": 2, \"Width\": 16, \"MlpWidth\": 2000000000, \"Heads\": 2}}")]
    [InlineData("{\"VisionTransformer\": {\"PatchSize\": 4, \"Layers\": 2, \"Width\": 15, \"MlpWidth\": 32, \"Heads\": 2}}")]
    [InlineData("{\"ConvNet\": {\"Widths\": null}}")]
    [InlineData("{\"ConvNet\": {}}")]
    public void A_description_of_no_model_or_another_one_is_refused(string description)
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using (var trainer = Make(model, folder.FullName, keep: 1))
            trainer.Run(Stop).First();
        var path = new CheckpointFolder(folder.FullName).Latest!;
        Change(path, metadata => metadata["model"] = description);
        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => Pretrained.Load(path)).Message);
    }

    sealed class Own() : nn.Module<Tensor, Tensor>(nameof(Own))
    {
        public override Tensor forward(Tensor images) => images.flatten(1).narrow(1, 0, 3);
    }

    [Fact]
    public void A_model_that_is_none_of_the_librarys_is_told()
    {
        using var folder = new TemporaryFolder();
        var path = folder["own.safetensors"];
        using var model = new Own();
        using var optimizer = new AdamW(model);
        TrainingCheckpoint.Save(path, model, optimizer, null, Small.Recipe, new());
        Assert.Contains("LoadWeights", Assert.Throws<InvalidDataException>(() => Pretrained.Load(path)).Message);
    }

    [Fact]
    public void A_folder_that_another_training_writes_to_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName);
        using (var running = trainer.Run(Stop).GetEnumerator())
        {
            Assert.True(running.MoveNext());
            folder.Write(".step-000000099.safetensors.unfinished", [1]);
            using var other = Small.Model();
            using var second = Make(other, folder.FullName);
            Assert.Contains("another training", Assert.ThrowsAny<IOException>(() => second.Run(Stop).First()).Message);
            Assert.Contains(".step-000000099.safetensors.unfinished", folder.Files);
            Assert.True(running.MoveNext());
        }
        using var third = Make(model, folder.FullName);
        Assert.Equal(3, third.Run(Stop).Single().Epoch);
    }

    [Fact]
    public void Another_recipe_is_not_mixed_in()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using (var trainer = Make(model, folder.FullName))
            trainer.Run(Stop).First();
        using var other = Make(model, folder.FullName, Small.FullRecipe with { LearningRate = 1e-4 });
        Assert.Contains("another recipe", Assert.Throws<InvalidOperationException>(() => other.Run(Stop).First()).Message);
    }

    [Fact]
    public void Other_images_are_not_mixed_in()
    {
        using var folder = new TemporaryFolder();
        var images = Small.Images(90, 1);
        Trainer With(nn.Module<Tensor, Tensor> model, ImageSet training) =>
            new(model, training, training, Small.FullRecipe) { Checkpoints = new CheckpointFolder(folder.FullName) };
        using var model = Small.Model();
        using (var trainer = With(model, images))
            trainer.Run(Stop).First();
        using var fewer = With(model, images.Select([0, 1, 2]));
        var message = Assert.Throws<InvalidOperationException>(() => fewer.Run(Stop).First()).Message;
        Assert.Contains(folder["step-000000006.safetensors"], message);
        Assert.Contains("90 images", message);
        using var renamed = With(model, new(images.Images, images.Labels, ["bottom", "middle", "top"]));
        Assert.Throws<InvalidOperationException>(() => renamed.Run(Stop).First());
        using var same = With(model, images);
        Assert.Equal(2, same.Run(Stop).First().Epoch);
    }

    [Fact]
    public void A_checkpoint_of_a_time_when_images_were_not_counted_goes_on()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using (var trainer = Make(model, folder.FullName, keep: 1))
            trainer.Run(Stop).First();
        var path = new CheckpointFolder(folder.FullName).Latest!;
        ChangeState(path, state => Assert.True(state.Remove("TrainingImages") && state.Remove("ClassNames") && state.Remove("Preprocessing")));
        using var second = Make(model, folder.FullName);
        Assert.Equal(2, second.Run(Stop).First().Epoch);
    }

    [Theory]
    [InlineData("History", "null")]
    [InlineData("History", "[]")]
    [InlineData("History", "[null]")]
    [InlineData("ClassNames", "null")]
    [InlineData("ClassNames", "[null]")]
    [InlineData("Preprocessing", "{\"Height\": 0, \"Width\": 12}")]
    [InlineData("Preprocessing", "{\"Height\": 12, \"Width\": 12, \"Normalization\": {\"Mean\": [], \"Std\": []}}")]
    [InlineData("Preprocessing", "{\"Height\": 12, \"Width\": 12, \"Normalization\": {\"Mean\": null}}")]
    [InlineData("Epochs", "-1")]
    [InlineData("StepsInEpoch", "-1")]
    [InlineData("StepsInEpoch", "7")]
    public void A_state_that_cannot_be_is_refused(string name, string value)
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using (var trainer = Make(model, folder.FullName, keep: 1))
            trainer.Run(Stop).First();
        var path = new CheckpointFolder(folder.FullName).Latest!;
        ChangeState(path, state => state[name] = JsonNode.Parse(value));
        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Open(path)).Message);
    }

    static void ChangeState(string path, Action<JsonObject> change) => Change(path, metadata =>
    {
        var state = JsonNode.Parse(metadata["state"])!.AsObject();
        change(state);
        metadata["state"] = state.ToJsonString();
    });

    static void Change(string path, Action<Dictionary<string, string>> change)
    {
        Dictionary<string, string> metadata;
        using (var file = new SafeTensorsFile(path))
            metadata = new(file.Metadata);
        change(metadata);
        SafeTensors.Save(path, SafeTensors.Load(path), metadata);
    }

    [Theory]
    [InlineData(0), InlineData(-1)]
    public void Checkpoints_after_no_steps_are_refused(int steps)
    {
        using var model = Small.Model();
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, Small.Images(9, 1), Small.Images(3, 2), Small.Recipe) { CheckpointSteps = steps });
    }

    [Fact]
    public void Another_model_is_refused_and_stays_as_it_is()
    {
        using var folder = new TemporaryFolder();
        using (var model = Small.Model())
        using (var trainer = Make(model, folder.FullName))
            trainer.Run(Stop).First();
        using var other = new Vit.Models.VisionTransformer(Small.Config with { Width = 32 });
        var before = Small.Bits(other);
        using var second = Make(other, folder.FullName);
        Assert.Contains("model.", Assert.Throws<InvalidDataException>(() => second.Run(Stop).First()).Message);
        Assert.Equal(before, Small.Bits(other));
    }

    [Fact]
    public void A_folder_that_will_not_do_is_reported_before_any_work()
    {
        using var folder = new TemporaryFolder();
        var occupied = folder.Write("file", [1]);
        using var model = Small.Model();
        using var trainer = Make(model, Path.Combine(occupied, "below"));
        Assert.Contains(occupied, Assert.ThrowsAny<IOException>(() => trainer.Run(Stop).First()).Message);
        Assert.Equal(0, trainer.Step);
    }

    [Fact]
    public void A_folder_that_is_read_only_is_reported_before_any_work()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "a folder has no write protection here that this process would not overrule");
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName);
#pragma warning disable CA1416
        File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Contains(folder.FullName, Assert.ThrowsAny<IOException>(() => trainer.Run(Stop).First()).Message);
        }
        finally
        {
            File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
#pragma warning restore CA1416
    }

    [Fact]
    public void A_log_that_cannot_be_written_does_not_end_the_training()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["log.csv"]);
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName);
        Assert.Equal(3, trainer.Run(Stop).Count());
        Assert.Equal([".lock", "best.safetensors", "step-000000006.safetensors", "step-000000012.safetensors", "step-000000018.safetensors"], folder.Files);
    }

    [Fact]
    public void What_a_killed_process_left_unfinished_is_cleared_away()
    {
        using var folder = new TemporaryFolder();
        folder.Write(".step-000000003.safetensors.abc", [1]);
        folder.Write("step-mine.safetensors", [1]);
        using var model = Small.Model();
        using var trainer = Make(model, folder.FullName);
        trainer.Run(Stop).First();
        Assert.Contains("step-mine.safetensors", folder.Files);
        Assert.DoesNotContain(folder.Files, name => name.StartsWith(".step", StringComparison.Ordinal));
    }

    [Fact]
    public void A_damaged_checkpoint_is_named()
    {
        using var folder = new TemporaryFolder();
        using (var model = Small.Model())
        using (var trainer = Make(model, folder.FullName, keep: 1))
            trainer.Run(Stop).First();
        var path = new CheckpointFolder(folder.FullName).Latest!;
        var whole = File.ReadAllBytes(path);
        var mutations = new Mutations(seed: 4, [whole[..12000]], ["{", "}", "\\\"", "null", "-1", "1e999", "step", "recipe", "state", "History", ":[", "999999999999"]);
        for (var i = 0; i < 500; i++)
        {
            File.WriteAllBytes(path, [.. mutations.Next(), .. whole[12000..]]);
            using var model = Small.Model(seed: 3);
            try
            {
                TrainingCheckpoint.Open(path).LoadWeights(model);
                Pretrained.Load(path).Dispose();
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains(path, exception.Message);
            }
        }
    }
}
