using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

public sealed class PretrainedTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static readonly PretrainedOptions ThreeHeads = new() { Heads = 3 };

    [Theory]
    [InlineData("timm", CheckpointKind.Timm)]
    [InlineData("timm-mean-pool", CheckpointKind.Timm)]
    [InlineData("timm-registers", CheckpointKind.Timm)]
    [InlineData("torchvision", CheckpointKind.Torchvision)]
    [InlineData("huggingface", CheckpointKind.HuggingFace)]
    [InlineData("jax", CheckpointKind.Jax)]
    public void AVisionTransformer_AgreesBlockByBlock(string fixture, CheckpointKind kind)
    {
        var expected = Fixture.Expected(fixture);
        using var pretrained = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, fixture));
        Assert.Equal(kind, pretrained.Kind);
        var trace = pretrained.Model.Trace(expected["input"]);
        for (var layer = 0; layer < 3; layer++)
            Close.Equal(expected[$"block.{layer}"], trace.Blocks[layer].Tokens);
        Close.Equal(expected["logits"], trace.Logits);
        Close.Equal(expected["logits"], pretrained.Model.forward(expected["input"]));
    }

    [Fact]
    public void DeiT_AgreesBlockByBlock()
    {
        var expected = Fixture.Expected("deit");
        using var pretrained = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"));
        var trace = pretrained.Model.Trace(expected["input"]);
        for (var layer = 0; layer < 3; layer++)
            Close.Equal(expected[$"block.{layer}"], trace.Blocks[layer].Tokens);
        Close.Equal(expected["logits"], pretrained.Model.forward(expected["input"]));
        var (@class, distillation) = pretrained.Model.Heads(expected["input"]);
        Close.Equal(expected["logits.class"], @class);
        Close.Equal(expected["logits.distillation"], distillation);
    }

    [Fact]
    public void Swin_AgreesBlockByBlock()
    {
        var expected = Fixture.Expected("swin");
        using var pretrained = Pretrained.Load<SwinTransformer>(Path.Combine(Fixture.Root, "swin"));
        var trace = pretrained.Model.Trace(expected["input"]);
        for (var block = 0; block < 4; block++)
            Close.Equal(expected[$"block.{block}"], trace.Blocks[block]);
        Close.Equal(expected["logits"], trace.Logits);
        Close.Equal(expected["logits"], pretrained.Model.forward(expected["input"]));
    }

    [Fact]
    public void Swin_IsReadFromItsAuthorsNamesToo()
    {
        var tensors = SafeTensors.Load(Fixture.PathOf("swin", "model.safetensors")).ToDictionary(
            pair => pair.Key.Replace("layers.1.downsample", "layers.0.downsample").Replace("head.fc", "head"), pair => pair.Value);
        tensors["layers.0.blocks.0.attn.relative_position_index"] = zeros(49, 49, int64);
        tensors["layers.0.blocks.1.attn_mask"] = zeros(16, 49, 49);
        SafeTensors.Save(folder["model.safetensors"], tensors);
        File.Copy(Fixture.PathOf("swin", "config.json"), folder["config.json"]);
        using var pretrained = Pretrained.Load<SwinTransformer>(folder["model.safetensors"]);
        AssertSameOutput("swin", pretrained.Model);
    }

    [Theory]
    [InlineData("timm"), InlineData("timm-mean-pool"), InlineData("timm-registers"), InlineData("deit"), InlineData("swin")]
    public void WhatTimmSaved_IsSavedAgainBitForBit(string fixture)
    {
        var source = Path.Combine(Fixture.Root, fixture);
        using var first = Pretrained.Load(source);
        Pretrained.SaveAsTimm(first.Model, folder["saved"], preprocessing: first.Preprocessing);
        AssertSameTensors(Path.Combine(source, "model.safetensors"), Path.Combine(folder["saved"], "model.safetensors"));

        // The configuration alone, without the fixture's, makes the same model.
        using var second = Pretrained.Load(folder["saved"]);
        AssertSameOutput(fixture, second.Model);
        AssertSamePreprocessing(first.Preprocessing, second.Preprocessing);
    }

    [Fact]
    public void WhatHuggingFaceSaved_IsSavedAgainBitForBit()
    {
        var source = Path.Combine(Fixture.Root, "huggingface");
        using var first = Pretrained.Load(source);
        Pretrained.SaveAsHuggingFace(first.Model, folder["saved"], first.ClassNames, first.Preprocessing);
        AssertSameTensors(Path.Combine(source, "model.safetensors"), Path.Combine(folder["saved"], "model.safetensors"));
        var (theirs, ours) = (Config(source), Config(folder["saved"]));
        foreach (var (key, value) in theirs)
            Assert.True(JsonNode.DeepEquals(value, ours[key]), $"{key}: {value} became {ours[key]}");

        using var second = Pretrained.Load(folder["saved"]);
        AssertSameOutput("huggingface", second.Model);
        Assert.Equal(first.ClassNames, second.ClassNames);
        AssertSamePreprocessing(first.Preprocessing, second.Preprocessing);
    }

    [Theory]
    [InlineData("timm"), InlineData("deit")]
    public void TransformersCropsAsWeDo(string fixture)
    {
        using var first = Pretrained.Load(Path.Combine(Fixture.Root, fixture));
        Pretrained.SaveAsHuggingFace(first.Model, folder["saved"], preprocessing: first.Preprocessing);
        var processor = JsonNode.Parse(File.ReadAllText(Path.Combine(folder["saved"], "preprocessor_config.json")))!;
        Assert.Equal("BitImageProcessor", (string?)processor["image_processor_type"]);
        // 32 / 0.9, rounded down.
        Assert.Equal("""{"shortest_edge":35}""", processor["size"]!.ToJsonString());
        Assert.Equal("""{"height":32,"width":32}""", processor["crop_size"]!.ToJsonString());
        Assert.Equal((3, 3), (processor["image_mean"]!.AsArray().Count, processor["image_std"]!.AsArray().Count));

        using var second = Pretrained.Load(folder["saved"]);
        var picture = rand(3, 50, 70);
        SameBits.Assert(first.Preprocessing.Apply(picture), second.Preprocessing.Apply(picture));
    }

    [Theory]
    [InlineData("torchvision"), InlineData("jax"), InlineData("timm"), InlineData("deit")]
    public void AnyVisionTransformer_GoesToHuggingFaceAndBackBitForBit(string fixture)
    {
        using var first = Pretrained.Load(Path.Combine(Fixture.Root, fixture), ThreeHeads);
        Pretrained.SaveAsHuggingFace(first.Model, folder["hf"]);
        using var second = Pretrained.Load(folder["hf"]);
        Pretrained.SaveAsTimm(second.Model, folder["timm"]);
        using var third = Pretrained.Load(folder["timm"]);
        foreach (var (name, value) in first.Model.state_dict())
            SameBits.Assert(value, third.Model.state_dict()[name]);
        AssertSameOutput(fixture, third.Model);
    }

    [Fact]
    public void ThePapersFile_HoldsTimmsWeights()
    {
        using var jax = Pretrained.Load(Fixture.PathOf("jax", "model.npz"));
        Pretrained.SaveAsTimm(jax.Model, folder["saved"]);
        AssertSameTensors(Fixture.PathOf("timm", "model.safetensors"), Path.Combine(folder["saved"], "model.safetensors"));
    }

    [Fact]
    public void HuggingFacesConfiguration_IsTaken()
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "huggingface"));
        Assert.Equal(1e-12, pretrained.Model.Config.LayerNormEpsilon);
        Assert.Equal(3, pretrained.Model.Config.Heads);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"class {i}"), pretrained.ClassNames);
        Assert.False(pretrained.Model.training);
    }

    [Fact]
    public void ComputedPositions_BecomeATensorThatOthersCanRead()
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { Positions = PositionKind.SinCos2D });
        model.eval();
        Randomize(model.head!.weight);
        Pretrained.SaveAsTimm(model, folder["saved"]);
        using var loaded = Pretrained.Load<VisionTransformer>(folder["saved"]);
        var images = rand(1, 3, 32, 32);
        Close.Equal(model.forward(images), loaded.Model.forward(images));
    }

    [Theory]
    [InlineData(CheckpointKind.Timm), InlineData(CheckpointKind.HuggingFace)]
    public void HalfPrecisionAndOddSizes_MakeTheRoundTrip(CheckpointKind kind)
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { ImageHeight = 24, ImageWidth = 40, Channels = 1, MlpWidth = 100, Heads = 2 });
        foreach (var parameter in model.parameters())
            Randomize(parameter);
        model.bfloat16();
        if (kind == CheckpointKind.Timm)
            Pretrained.SaveAsTimm(model, folder["saved"]);
        else
            Pretrained.SaveAsHuggingFace(model, folder["saved"]);
        using var loaded = Pretrained.Load<VisionTransformer>(folder["saved"]);
        Assert.Equal(model.Config, loaded.Model.Config);
        Assert.Equal((24, 40, 1), (loaded.Preprocessing.Height, loaded.Preprocessing.Width, loaded.Preprocessing.Channels));
        foreach (var (name, value) in model.state_dict())
            SameBits.Assert(value.to(float32), loaded.Model.state_dict()[name]);
    }

    [Fact]
    public void AnotherNumberOfClasses_GetsAFreshHead()
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "timm"), new PretrainedOptions { Classes = 3 });
        Assert.Equal([3, 48], pretrained.Model.head!.weight.shape);
        Assert.Equal(0, pretrained.Model.head!.weight.abs().max().item<float>());
        Assert.Equal(["class 0", "class 1", "class 2"], pretrained.ClassNames);
        using var original = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "timm"), new PretrainedOptions { Classes = 10 });
        SameBits.Assert(original.Model.norm!.weight, pretrained.Model.norm!.weight);
        Assert.NotEqual(0, original.Model.head!.weight.abs().max().item<float>());

        using var deit = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"), new PretrainedOptions { Classes = 3 });
        Assert.Equal([3, 48], deit.Model.head_dist!.weight.shape);
        using var swin = Pretrained.Load<SwinTransformer>(Path.Combine(Fixture.Root, "swin"), new PretrainedOptions { Classes = 3 });
        Assert.Equal([3, 48], swin.Model.head!.weight.shape);
    }

    [Fact]
    public void WithoutAHead_TheNumberOfClassesIsNeeded()
    {
        Rewrite("timm", tensors => { tensors.Remove("head.weight"); tensors.Remove("head.bias"); });
        Assert.Contains("give PretrainedOptions.Classes", Assert.Throws<InvalidDataException>(() => Pretrained.Load(folder["model.safetensors"], ThreeHeads)).Message);
        using var pretrained = Pretrained.Load<VisionTransformer>(folder["model.safetensors"], ThreeHeads with { Classes = 5 });
        Assert.Equal([5, 48], pretrained.Model.head!.weight.shape);
    }

    [Theory]
    [InlineData("timm", 1), InlineData("timm-registers", 0), InlineData("timm-mean-pool", 0), InlineData("deit", 2), InlineData("jax", 1)]
    public void AnotherResolution_ResamplesThePositionsAlone(string fixture, int tokens)
    {
        using var small = Pretrained.Load(Path.Combine(Fixture.Root, fixture), ThreeHeads);
        using var large = Pretrained.Load(Path.Combine(Fixture.Root, fixture), ThreeHeads with { ImageHeight = 48, ImageWidth = 64 });
        Assert.Equal((48, 64), (large.Preprocessing.Height, large.Preprocessing.Width));
        foreach (var (name, value) in small.Model.state_dict())
            if (name == "pos_embed")
                Close.Equal(PositionResampling.Resample(value, tokens, (4, 4), (6, 8)), large.Model.state_dict()[name], 0);
            else
                SameBits.Assert(value, large.Model.state_dict()[name]);
        Assert.Equal([2, 10], large.Model.forward(rand(2, 3, 48, 64)).shape);
    }

    [Fact]
    public void Positions_AreResampledAsTheOptionsSay()
    {
        var path = Path.Combine(Fixture.Root, "timm");
        using var small = Pretrained.Load<VisionTransformer>(path, ThreeHeads);
        var options = ThreeHeads with { ImageHeight = 24, ImageWidth = 16, PositionInterpolation = Interpolation.Bilinear, PositionAntialias = false };
        using var other = Pretrained.Load<VisionTransformer>(path, options);
        var positions = small.Model.pos_embed!;
        Close.Equal(PositionResampling.Resample(positions, 1, (4, 4), (3, 2), Interpolation.Bilinear, antialias: false), other.Model.pos_embed!, 0);
        foreach (var unlike in new[] { options with { PositionInterpolation = Interpolation.Bicubic }, options with { PositionAntialias = true } })
        {
            using var third = Pretrained.Load<VisionTransformer>(path, unlike);
            Assert.True(Close.LargestDifference(other.Model.pos_embed!, third.Model.pos_embed!) > 1e-3);
        }
    }

    [Fact]
    public void EveryDifference_IsListedByName()
    {
        Rewrite("timm", tensors =>
        {
            tensors.Remove("blocks.1.norm2.bias");
            tensors.Remove("cls_token", out var token);
            tensors["cls_token"] = token!.expand(1, 2, 48);
            tensors["blocks.2.mlp.fc2.weight"] = zeros(48, 7);
            tensors["extra.weight"] = zeros(1);
        });
        var exception = Assert.Throws<WeightMismatchException>(() => Pretrained.Load(folder["model.safetensors"], ThreeHeads));
        Assert.Contains(folder["model.safetensors"], exception.Message);
        Assert.Equal(["blocks.1.norm2.bias"], exception.Mismatch.Missing);
        Assert.Equal(["extra.weight"], exception.Mismatch.Unexpected);
        Assert.Equal(["blocks.2.mlp.fc2.weight [48, 7], the model's blocks.2.mlp.fc2.weight [48, 192]", "cls_token [1, 2, 48], the model's cls_token [1, 1, 48]"], exception.Mismatch.WrongShapes.Order());
        foreach (var name in (string[])["blocks.1.norm2.bias", "extra.weight", "blocks.2.mlp.fc2.weight", "cls_token"])
            Assert.Contains(name, exception.Message);

        using var lenient = Pretrained.Load(folder["model.safetensors"], ThreeHeads with { Strict = false });
        Assert.Equal(exception.Mismatch.ToString(), lenient.Mismatch.ToString());
    }

    [Fact]
    public void MissingTensors_GoByTheCheckpointsOwnNames()
    {
        var tensors = SafeTensors.Load(Fixture.PathOf("huggingface", "model.safetensors"));
        tensors.Remove("vit.encoder.layer.1.attention.attention.key.weight");
        SafeTensors.Save(folder["model.safetensors"], tensors);
        File.Copy(Fixture.PathOf("huggingface", "config.json"), folder["config.json"]);
        var exception = Assert.Throws<WeightMismatchException>(() => Pretrained.Load(folder["model.safetensors"]));
        Assert.Equal(["vit.encoder.layer.1.attention.attention.key.weight"], exception.Mismatch.Missing);
        Assert.Empty(exception.Mismatch.Unexpected);
    }

    [Fact]
    public void ACheckpointInSeveralFiles_IsLoaded()
    {
        var tensors = SafeTensors.Load(Fixture.PathOf("timm", "model.safetensors"));
        var parts = tensors.Chunk(20).Select((part, i) => (Name: $"model-{i}.safetensors", Part: part)).ToList();
        foreach (var (name, part) in parts)
            SafeTensors.Save(folder[name], part);
        var map = parts.SelectMany(it => it.Part.Select(pair => (pair.Key, it.Name))).ToDictionary(it => it.Key, it => it.Name);
        File.WriteAllText(folder["model.safetensors.index.json"], JsonSerializer.Serialize(new { weight_map = map }));
        File.Copy(Fixture.PathOf("timm", "config.json"), folder["config.json"]);
        using var pretrained = Pretrained.Load(Path.GetDirectoryName(folder["config.json"])!);
        AssertSameOutput("timm", pretrained.Model);
    }

    [Fact]
    public void WhatIsNoKnownCheckpoint_IsTold()
    {
        SafeTensors.Save(folder["other.safetensors"], new Dictionary<string, Tensor> { ["conv1.weight"] = zeros(1) });
        var message = Assert.Throws<InvalidDataException>(() => Pretrained.Load(folder["other.safetensors"])).Message;
        Assert.Contains("no checkpoint whose names are known", message);
        Assert.Contains("conv1.weight", message);
        Assert.Contains("holds a SwinTransformer, not a VisionTransformer", Assert.Throws<InvalidDataException>(() => Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "swin"))).Message);
        Assert.Contains("is none of .safetensors", Assert.Throws<InvalidDataException>(() => Pretrained.Load(Fixture.PathOf("timm", "config.json").Replace(".json", ".txt"))).Message);
    }

    [Theory]
    [InlineData(192, 3), InlineData(1280, 16)]
    public void ThePublishedWidths_TellTheHeads(int width, int heads)
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(WithoutConfiguration(width, 4));
        Assert.Equal(heads, pretrained.Model.Config.Heads);
    }

    [Fact]
    public void AnotherWidth_NeedsToBeTold()
    {
        var path = WithoutConfiguration(128, 4);
        Assert.Contains("give PretrainedOptions.Heads", Assert.Throws<InvalidDataException>(() => Pretrained.Load(path)).Message);
        using var pretrained = Pretrained.Load<VisionTransformer>(path, new PretrainedOptions { Heads = 8 });
        Assert.Equal(8, pretrained.Model.Config.Heads);
    }

    [Fact]
    public void AFolderOfPickles_IsTold()
    {
        folder.Write("pytorch_model.bin", "PK"u8);
        Assert.Contains("never loaded", Assert.Throws<InvalidDataException>(() => Pretrained.Load(Path.GetDirectoryName(folder["a"])!)).Message);
    }

    [Fact]
    public void AnEmptyFolder_IsTold() =>
        Assert.Contains("has 0 files of weights", Assert.Throws<FileNotFoundException>(() => Pretrained.Load(Path.GetDirectoryName(folder["a"])!)).Message);

    [Theory]
    [InlineData("{", "no valid JSON")]
    [InlineData("[]", "no JSON object")]
    [InlineData("""{"heads":"3"}""", "heads is \"3\"")]
    [InlineData("""{"heads":5}""", "does not divide among 5 heads")]
    [InlineData("""{"heads":-3}""", "a whole number above 0")]
    [InlineData("""{"heads":3,"image_size":2147483647}""", "17 positions")]
    [InlineData("""{"heads":3,"image_size":{"height":32}}""", "a size")]
    [InlineData("""{"heads":3,"image_size":64}""", "8 × 8 patches")]
    [InlineData("""{"heads":3,"id2label":[]}""", "an object of names")]
    [InlineData("""{"heads":3,"layer_norm_eps":"x"}""", "a number above 0")]
    [InlineData("""{"heads":3,"hidden_act":"gelu_new"}""", "activation is 'gelu_new'")]
    [InlineData("""{"heads":3,"model_args":{"act_layer":"quick_gelu"}}""", "activation is 'quick_gelu'")]
    [InlineData("""{"heads":3,"global_pool":"map"}""", "reads 'map'")]
    [InlineData("""{"heads":3,"pretrained_cfg":{"interpolation":"lanczos"}}""", "\"bilinear\" or \"bicubic\"")]
    [InlineData("""{"heads":3,"pretrained_cfg":{"mean":[0.5,0.5],"std":[0.5,0.5]}}""", "for 3 channels, and the file beside it normalises 2")]
    [InlineData("""{"heads":3,"mean":["x"]}""", "a list of numbers")]
    public void AHostileConfiguration_IsTold(string json, string says)
    {
        Rewrite("timm", _ => { });
        File.WriteAllText(folder["config.json"], json);
        var message = Assert.Throws<InvalidDataException>(() => Pretrained.Load(folder["model.safetensors"])).Message;
        Assert.Contains(says, message);
    }

    [Theory]
    [InlineData("""{"heads":3,"id2label":{"0":"a","2":"c"}}""", "a, class 1, c", "names 2 classes, and 2 of the model's 10")]
    [InlineData("""{"heads":3,"id2label":{"1":"a","10":"j"}}""", "class 0, a, class 2", "names 2 classes, and 1 of the model's 10")]
    [InlineData("""{"heads":3,"id2label":{"0":"a","0":"b"}}""", "b, class 1, class 2", "names 2 classes, and 1 of the model's 10")]
    [InlineData("""{"heads":3,"label_names":["a"]}""", "a, class 1, class 2", "names 1 classes, and 1 of the model's 10")]
    public void ClassNamesThatCannotBeMeant_AreRemarked_AndRefuseNothing(string json, string names, string remark)
    {
        Rewrite("timm", _ => { });
        File.WriteAllText(folder["config.json"], json);
        using var pretrained = Pretrained.Load(folder["model.safetensors"], Stated);
        Assert.Equal(names, string.Join(", ", pretrained.ClassNames.Take(3)));
        Assert.Equal(10, pretrained.ClassNames.Count);
        Assert.Contains(pretrained.Remarks, it => it.Contains(remark));
        AssertSameOutput("timm", pretrained.Model);
    }

    /// <summary>So that nothing is left to guess.</summary>
    static readonly PretrainedOptions Stated = new() { Preprocessing = Preprocessing.Square(32) with { Crop = 0.7, Interpolation = Interpolation.Bilinear } };

    [Fact]
    public void WhatNoFileTellsOfPictures_IsTakenFromTheOptions_OrGuessedAndTold()
    {
        Rewrite("timm", _ => { });
        File.WriteAllText(folder["config.json"], """{"heads":3,"label_names":["a"]}""");
        using (var stated = Pretrained.Load(folder["model.safetensors"], Stated))
            Assert.Equal(Stated.Preprocessing, stated.Preprocessing);
        using (var guessed = Pretrained.Load(folder["model.safetensors"]))
            Assert.Contains(guessed.Remarks, remark => remark.Contains("crop, filter, normalisation") && remark.Contains("crop 0.9, Bicubic"));
        File.WriteAllText(folder["config.json"], """{"heads":3,"crop_pct":0.5,"interpolation":"bicubic","mean":[0.5],"std":[0.5]}""");
        using var told = Pretrained.Load(folder["model.safetensors"], Stated);
        Assert.Equal((0.5, Interpolation.Bicubic), (told.Preprocessing.Crop, told.Preprocessing.Interpolation));
        Assert.Empty(told.Remarks);
    }

    [Theory]
    [InlineData("timm", "module."), InlineData("huggingface", "model."), InlineData("torchvision", "_orig_mod."), InlineData("swin", "model._orig_mod.module.")]
    public void NamesWithThePrefixOfAnotherProgram_AreRead_AndItIsTold(string fixture, string prefix)
    {
        var tensors = SafeTensors.Load(Fixture.PathOf(fixture, "model.safetensors"));
        SafeTensors.Save(folder["model.safetensors"], tensors.ToDictionary(pair => prefix + pair.Key, pair => pair.Value));
        File.Copy(Fixture.PathOf(fixture, "config.json"), folder["config.json"]);
        using var pretrained = Pretrained.Load(folder["model.safetensors"], Stated);
        AssertSameOutput(fixture, pretrained.Model);
        Assert.Contains(pretrained.Remarks, it => it.Contains($"'{prefix}', which was taken off"));
    }

    [Fact]
    public void APoolerBesideAClassifier_IsNotReadFrom()
    {
        var tensors = SafeTensors.Load(Fixture.PathOf("huggingface", "model.safetensors"));
        (tensors["vit.pooler.dense.weight"], tensors["vit.pooler.dense.bias"]) = (randn(48, 48), randn(48));
        SafeTensors.Save(folder["model.safetensors"], tensors);
        File.Copy(Fixture.PathOf("huggingface", "config.json"), folder["config.json"]);
        using var pretrained = Pretrained.Load(folder["model.safetensors"]);
        AssertSameOutput("huggingface", pretrained.Model);
    }

    /// <summary>The same tensors under timm's other choices, against the formulas: norm of all tokens, of the mean, of the class token.</summary>
    [Theory]
    [InlineData("""{"heads":3,"global_pool":"avg"}""", "norm", true)]
    [InlineData("""{"heads":3,"global_pool":"token"}""", "norm", true)]
    [InlineData("""{"heads":3}""", "fc_norm", true)]
    [InlineData("""{"heads":3,"global_pool":"avg"}""", "fc_norm", true)]
    [InlineData("""{"heads":3}""", "norm", false)]
    public void EveryPoolingOfTimm_IsHonoured(string json, string norm, bool classToken)
    {
        Rewrite("timm", tensors =>
        {
            foreach (var leaf in (string[])["weight", "bias"])
            {
                tensors.Remove($"norm.{leaf}", out var value);
                tensors[$"{norm}.{leaf}"] = value!;
            }
            if (!classToken)
            {
                tensors.Remove("cls_token");
                tensors["pos_embed"] = tensors["pos_embed"][.., 1..];
            }
        });
        File.WriteAllText(folder["config.json"], json);
        using var pretrained = Pretrained.Load<VisionTransformer>(folder["model.safetensors"]);
        var model = pretrained.Model;
        var images = rand(2, 3, 32, 32);
        var tokens = model.Trace(images).Blocks[^1].Tokens;
        var extra = classToken ? 1 : 0;
        var features = json.Contains("token") ? model.norm!.forward(tokens)[.., 0]
            : norm == "norm" ? model.norm!.forward(tokens)[.., extra..].mean([1])
            : model.fc_norm!.forward(tokens[.., extra..].mean([1]));
        Close.Equal(model.head!.forward(features), model.forward(images));

        Pretrained.SaveAsTimm(model, folder["saved"]);
        using var again = Pretrained.Load<VisionTransformer>(folder["saved"]);
        Assert.Equal(model.Config, again.Model.Config);
        Close.Equal(model.forward(images), again.Model.forward(images));
    }

    [Fact]
    public void BothNorms_AreRefused()
    {
        Rewrite("timm", tensors => (tensors["fc_norm.weight"], tensors["fc_norm.bias"]) = (ones(48), zeros(48)));
        Assert.Contains("'norm' and 'fc_norm'", Refused(ThreeHeads));
    }

    [Fact]
    public void DeiTForImageClassification_ReadsItsClassTokenAlone()
    {
        var tensors = SafeTensors.Load(Fixture.PathOf("deit", "model.safetensors"));
        using var deit = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"));
        Pretrained.SaveAsHuggingFace(deit.Model, folder["hf"]);
        tensors = SafeTensors.Load(Path.Combine(folder["hf"], "model.safetensors"));
        foreach (var leaf in (string[])["weight", "bias"])
        {
            tensors.Remove($"cls_classifier.{leaf}", out var value);
            tensors.Remove($"distillation_classifier.{leaf}");
            tensors[$"classifier.{leaf}"] = value!;
        }
        SafeTensors.Save(Path.Combine(folder["hf"], "model.safetensors"), tensors);
        using var pretrained = Pretrained.Load<VisionTransformer>(folder["hf"]);
        var expected = Fixture.Expected("deit");
        var trace = pretrained.Model.Trace(expected["input"]);
        for (var layer = 0; layer < 3; layer++)
            Close.Equal(expected[$"block.{layer}"], trace.Blocks[layer].Tokens);
        Close.Equal(expected["logits.class"], trace.Logits);
        Assert.Equal(deit.Preprocessing.Normalization, pretrained.Preprocessing.Normalization);
    }

    [Fact]
    public void DINOv2UnderHuggingFacesNames_IsNamedWithWhatToDo()
    {
        SafeTensors.Save(folder["model.safetensors"], new Dictionary<string, Tensor>
        {
            ["dinov2.embeddings.patch_embeddings.projection.weight"] = zeros(48, 3, 8, 8),
            ["dinov2.encoder.layer.0.layer_scale1.lambda1"] = zeros(48),
        });
        var message = Refused();
        Assert.Contains("dinov2.encoder.layer.0.layer_scale1.lambda1", message);
        Assert.Contains("in timm's names", message);
    }

    [Fact]
    public void APointerOfGitLfs_IsTold()
    {
        folder.Write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 22883704\n"u8);
        Assert.Contains("git lfs pull", Refused());
    }

    [Theory]
    [InlineData("google/vit-base-patch16-224"), InlineData("hf-hub:timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k")]
    public void TheNameOfARepository_IsTold(string name) =>
        Assert.Contains("Hugging Face hub", Assert.Throws<FileNotFoundException>(() => Pretrained.Load(name)).Message);

    [Theory]
    [InlineData("""{"do_normalize": false}""", 0, 1)]
    [InlineData("""{"do_rescale": false}""", 0.5 / 255, 0.5 / 255)]
    [InlineData("""{"rescale_factor": 0.00784313725490196}""", 0.25, 0.25)]
    [InlineData("""{"do_rescale": false, "do_normalize": false}""", 0, 1 / 255.0)]
    public void ScaleAndNormalization_AreAsTheFileSays(string json, double mean, double std)
    {
        foreach (var name in (string[])["model.safetensors", "config.json"])
            File.Copy(Fixture.PathOf("huggingface", name), folder[name]);
        File.WriteAllText(folder["preprocessor_config.json"], json);
        using var pretrained = Pretrained.Load(folder["model.safetensors"]);
        Assert.All(pretrained.Preprocessing.Normalization.Mean, it => Assert.Equal(mean, it, 1e-6));
        Assert.All(pretrained.Preprocessing.Normalization.Std, it => Assert.Equal(std, it, 1e-6));
    }

    [Theory]
    [InlineData("0"), InlineData("1"), InlineData("4"), InlineData("\"lanczos\"")]
    public void AFilterThatIsNotHere_IsRefused(string filter)
    {
        foreach (var name in (string[])["model.safetensors", "config.json"])
            File.Copy(Fixture.PathOf("huggingface", name), folder[name]);
        File.WriteAllText(folder["preprocessor_config.json"], $$"""{"resample": {{filter}}}""");
        Assert.Contains("2 (bilinear) or 3 (bicubic)", Refused());
    }

    [Fact]
    public void AnotherNumberOfChannels_IsOneOption()
    {
        using var color = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"));
        using var grey = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"), new PretrainedOptions { Channels = 1 });
        using var five = Pretrained.Load<VisionTransformer>(Path.Combine(Fixture.Root, "deit"), new PretrainedOptions { Channels = 5 });
        var image = rand(2, 1, 32, 32);
        Close.Equal(color.Model.forward(image.expand(-1, 3, -1, -1)), grey.Model.forward(image));
        Assert.Equal(1, grey.Preprocessing.Channels);
        Assert.Equal([1, 1, 32, 32], grey.Preprocessing.Apply(rand(1, 32, 32)).shape);
        // timm's adapt_input_conv: repeated, and 3 / 5 as strong.
        var (three, repeated) = (color.Model.patch_embed.proj.weight, five.Model.patch_embed.proj.weight);
        Close.Equal(cat([three, three[.., ..2]], 1) * 0.6, repeated);
    }

    [Theory]
    [InlineData("timm"), InlineData("deit"), InlineData("swin")]
    public void WithoutClasses_TheFeaturesComeOut(string fixture)
    {
        using var whole = Pretrained.Load(Path.Combine(Fixture.Root, fixture));
        using var headless = Pretrained.Load(Path.Combine(Fixture.Root, fixture), new PretrainedOptions { Classes = 0 });
        var input = Fixture.Expected(fixture)["input"];
        var expected = whole.Model switch
        {
            VisionTransformer vit => vit.ForwardHead(vit.ForwardFeatures(input), preLogits: true),
            SwinTransformer swin => swin.ForwardHead(swin.ForwardFeatures(input), preLogits: true),
            _ => throw new InvalidOperationException(),
        };
        Close.Equal(expected, headless.Model.forward(input));
        Assert.Empty(headless.ClassNames);
    }

    [Fact]
    public void TheStateOfAModel_IsTimms()
    {
        foreach (var fixture in (string[])["timm", "timm-registers", "timm-mean-pool", "deit"])
        {
            using var pretrained = Pretrained.Load(Path.Combine(Fixture.Root, fixture));
            Assert.Equal(SafeTensors.Load(Fixture.PathOf(fixture, "model.safetensors")).Keys.Order(), pretrained.Model.state_dict().Keys.Order());
        }
    }

    [Fact]
    public void TimmComputesTheMlpsWidthFromWhatIsSaved() =>
        Gen.Select(Gen.Int[1, 3000], Gen.Int[1, 20_000]).Sample((width, mlpWidth) => (int)(width * Pretrained.MlpRatio(width, mlpWidth)) == mlpWidth);

    [Fact]
    public void AConfigurationInLatin1_IsTold()
    {
        Rewrite("timm", _ => { });
        File.WriteAllText(folder["config.json"], """{"heads":3,"id2label":{"0":"Café"}}""", Encoding.Latin1);
        Assert.Contains("config.json is no valid JSON", Refused());
    }

    [Fact]
    public void PatchesOfNoPixels_AreTold()
    {
        Rewrite("timm", tensors => tensors["patch_embed.proj.weight"] = zeros(48, 1, 0, 0));
        File.WriteAllText(folder["config.json"], """{"heads":3,"image_size":32}""");
        Assert.Contains("'patch_embed.proj.weight' is empty", Refused());
    }

    [Fact]
    public void NamesOfAGiantModel_TakeNoMemory()
    {
        // Every block named, none of their matrices there.
        var tensors = Enumerable.Range(0, 1000).Select(i => KeyValuePair.Create($"blocks.{i}.norm1.weight", zeros(1)))
            .Append(new("patch_embed.proj.weight", zeros(64_000, 1, 1, 1))).Append(new("pos_embed", zeros(1, 1, 1)))
            .Append(new("head.weight", zeros(1, 1)));
        SafeTensors.Save(folder["giant.safetensors"], tensors);
        Assert.Contains("those of a model with more than", Assert.Throws<InvalidDataException>(() => Pretrained.Load(folder["giant.safetensors"], new PretrainedOptions { Heads = 1 })).Message);
    }

    [Theory]
    [InlineData("timm", "head.weight", 2_000_000, 0)]
    [InlineData("timm", "head.weight", 100_000, 1)]
    [InlineData("timm", "pre_logits.weight", 100_000, 1)]
    [InlineData("timm", "pos_embed", 1, 90_001, 1)]
    [InlineData("timm-registers", "reg_token", 1, 90_000, 1)]
    [InlineData("swin", "head.fc.weight", 100_000, 1)]
    public void ANumberInAShape_TakesNoMemory(string fixture, string name, params int[] shape)
    {
        Rewrite(fixture, tensors => tensors[name] = zeros([.. shape.Select(size => (long)size)]));
        Assert.Contains(shape.Contains(0) ? "is empty" : "a model with more than", Refused(ThreeHeads with { ImageHeight = 56, ImageWidth = 56 }));
    }

    [Fact]
    public void AHugeImageOfSwin_TakesNoMemory()
    {
        Rewrite("swin", _ => { });
        File.WriteAllText(folder["config.json"], """{"img_size": 3584}""");
        Assert.Contains("a model with more than", Refused());
    }

    string Refused(PretrainedOptions? options = null) =>
        Assert.Throws<InvalidDataException>(() => Pretrained.Load(folder["model.safetensors"], options)).Message;

    [Fact]
    public void WhatTransformersLacks_IsNotSavedThere()
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { Pooling = Pooling.Mean, RegisterTokens = 2 });
        var message = Assert.Throws<ArgumentException>(() => Pretrained.SaveAsHuggingFace(model, folder["saved"])).Message;
        Assert.Contains("mean pooling, register tokens", message);
        Assert.Contains("3 names", Assert.Throws<ArgumentException>(() => Pretrained.SaveAsTimm(model, folder["saved"], ["a", "b", "c"])).Message);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void APictureToClassNames_InThreeLines()
    {
        Picture.Save(rand(3, 50, 70), folder["picture.png"]);

        using var pretrained = Pretrained.Load(Path.Combine(Fixture.Root, "huggingface"));
        var classes = pretrained.Classify(folder["picture.png"], most: 3);
        var text = string.Join(", ", classes.Select(it => $"{it.Class} {it.Probability:P0}"));

        var logits = pretrained.Model.forward(pretrained.Preprocessing.Apply(Picture.Load(folder["picture.png"])));
        Assert.Equal(3, classes.Count);
        Assert.Equal($"class {logits.argmax().item<long>()}", classes[0].Class);
        Assert.Equal(logits.softmax(-1).max().item<float>(), classes[0].Probability, 1e-6f);
        Assert.True(classes[0].Probability >= classes[1].Probability);
        Assert.StartsWith("class", text);
    }

    [Theory]
    [InlineData(ScalarType.Float32), InlineData(ScalarType.Float64)]
    public void ManyPictures_AreNamedTogether(ScalarType type)
    {
        string[] paths = [.. Enumerable.Range(0, 35).Select(i => folder[$"{i}.png"])];
        foreach (var path in paths)
            Picture.Save(rand(3, 20, 30), path);
        using var pretrained = Pretrained.Load(Path.Combine(Fixture.Root, "huggingface"));
        pretrained.Model.to(type);
        var together = pretrained.Classify(paths, most: 2);
        Assert.Equal(35, together.Count);
        foreach (var (path, classes) in paths.Zip(together))
        {
            var alone = pretrained.Classify(path, most: 2);
            Assert.Equal(alone.Select(it => it.Class), classes.Select(it => it.Class));
            Assert.Equal(alone[1].Probability, classes[1].Probability, 1e-5f);
        }
    }

    [Fact]
    public void EveryFamily_HasItsOwnPreprocessing()
    {
        var found = new[] { "timm", "deit", "swin", "torchvision", "huggingface", "jax" }.Select(fixture =>
        {
            using var pretrained = Pretrained.Load(Path.Combine(Fixture.Root, fixture));
            var it = pretrained.Preprocessing;
            return $"{fixture} {it.Height}×{it.Width} {it.Interpolation} {(it.Crop is double crop ? $"{crop:F3}" : "whole")} {(it.Normalization == Normalization.Half ? "half" : it.Normalization == Normalization.ImageNet ? "ImageNet" : "?")}";
        });
        Assert.Equal(
        [
            "timm 32×32 Bicubic 0.900 half", "deit 32×32 Bicubic 0.900 ImageNet", "swin 56×56 Bicubic 0.900 ImageNet",
            "torchvision 32×32 Bilinear 0.875 ImageNet", "huggingface 32×32 Bilinear whole half", "jax 32×32 Bilinear whole half",
        ], found);
    }

    [Fact]
    public void ThePreprocessingBesideTheWeights_IsTaken()
    {
        foreach (var name in (string[])["model.safetensors", "config.json"])
            File.Copy(Fixture.PathOf("huggingface", name), folder[name]);
        File.WriteAllText(folder["preprocessor_config.json"], """
            {"do_center_crop": true, "crop_size": {"height": 32, "width": 32}, "size": {"shortest_edge": 40}, "resample": 3,
             "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
            """);
        using var pretrained = Pretrained.Load(folder["model.safetensors"]);
        var preprocessing = pretrained.Preprocessing;
        Assert.Equal((0.8, Interpolation.Bicubic), (preprocessing.Crop, preprocessing.Interpolation));
        Assert.Equal([0.1f, 0.2f, 0.3f], preprocessing.Normalization.Mean);
        Assert.Equal([0.4f, 0.5f, 0.6f], preprocessing.Normalization.Std);

        // A picture twice as wide as high: 40 × 80, and the middle 32 × 32 of it.
        var picture = zeros(3, 40, 80);
        picture[.., 4..36, 24..56] = 1;
        var shown = preprocessing.Apply(picture);
        Assert.Equal([1, 3, 32, 32], shown.shape);
        Close.Equal(preprocessing.Normalization.Apply(ones(3, 1, 1)).flatten(), shown.amin([0, 2, 3]));
    }

    static void Randomize(Tensor tensor)
    {
        using (no_grad())
            nn.init.normal_(tensor);
    }

    static JsonObject Config(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();

    /// <summary>timm's names without a configuration beside them.</summary>
    string WithoutConfiguration(int width, int heads)
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { Width = width, Heads = heads, MlpWidth = 8, Layers = 1 });
        Pretrained.SaveAsTimm(model, folder["bare"]);
        File.Delete(Path.Combine(folder["bare"], "config.json"));
        return folder["bare"];
    }

    string Rewrite(string fixture, Action<Dictionary<string, Tensor>> change)
    {
        var tensors = SafeTensors.Load(Fixture.PathOf(fixture, "model.safetensors"));
        change(tensors);
        SafeTensors.Save(folder["model.safetensors"], tensors);
        return folder["model.safetensors"];
    }

    static void AssertSameTensors(string expectedPath, string actualPath)
    {
        var (expected, actual) = (SafeTensors.Load(expectedPath), SafeTensors.Load(actualPath));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, value) in expected)
            SameBits.Assert(value, actual[name]);
    }

    static void AssertSameOutput(string fixture, nn.Module<Tensor, Tensor> model)
    {
        var expected = Fixture.Expected(fixture);
        Close.Equal(expected["logits"], model.forward(expected["input"]));
    }

    static void AssertSamePreprocessing(Preprocessing expected, Preprocessing actual)
    {
        Assert.Equal(expected with { Normalization = Normalization.Half, Crop = null }, actual with { Normalization = Normalization.Half, Crop = null });
        Assert.Equal(expected.Crop, actual.Crop);
        // Hugging Face's files have one for each channel.
        var ones = torch.ones(expected.Channels, 1, 1);
        SameBits.Assert(expected.Normalization.Apply(ones), actual.Normalization.Apply(ones));
    }
}
