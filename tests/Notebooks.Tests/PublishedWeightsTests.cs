using System.Net;
using System.Net.Sockets;

namespace Notebooks.Tests;

/// <summary>Against a server on loopback that behaves like the hub, which is not reached from here.</summary>
public sealed class PublishedWeightsTests : IDisposable
{
    const string Repository = "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k";

    readonly string _folder = Directory.CreateTempSubdirectory("weights-").FullName;
    readonly LoopbackHub _hub = new();
    readonly IWebProxy _proxy = HttpClient.DefaultProxy;
    readonly StringWriter _output = new() { NewLine = "\n" };
    readonly byte[] _weights = new byte[300_000];
    readonly byte[] _config = [.. "{\"architecture\": \"vit_tiny_patch16_224\"}"u8];

    public PublishedWeightsTests()
    {
        HttpClient.DefaultProxy = new WebProxy();
        new Random(1).NextBytes(_weights);
        _hub.Files[$"/{Repository}/resolve/main/model.safetensors"] = _weights;
        _hub.Files[$"/{Repository}/resolve/main/config.json"] = _config;
    }

    string Model => Path.Combine(_folder, "weights", "vit-tiny");

    /// <summary>Where the weights arrive.</summary>
    string Target => Path.Combine(_folder, "arriving", "vit-tiny", "model.safetensors");

    public void Dispose()
    {
        HttpClient.DefaultProxy = _proxy;
        _hub.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_list_tells_name_size_licence_source_and_files_and_asks_nobody()
    {
        Assert.Equal(0, await Run([]));
        Assert.Contains($"vit-tiny    23 MB  Apache-2.0  ViT-Ti/16, ImageNet-21k, then ImageNet\n           {Repository}: config.json, model.safetensors\n", _output.ToString());
        Assert.All(PublishedWeights.All, m => Assert.Contains(m.Repository, _output.ToString()));
        Assert.Empty(_hub.Requests);
    }

    [Fact]
    public async Task A_model_is_fetched_with_its_licence_told_first_and_kept_when_asked_for_again()
    {
        Assert.Equal(0, await Run(["vit-tiny"]));
        Assert.Equal(_weights, File.ReadAllBytes(Path.Combine(Model, "model.safetensors")));
        Assert.Equal(_config, File.ReadAllBytes(Path.Combine(Model, "config.json")));
        Assert.Equal(2, Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Length);
        Assert.StartsWith($"vit-tiny: ViT-Ti/16, ImageNet-21k, then ImageNet; licence Apache-2.0; 23 MB; {Repository}\n", _output.ToString());
        Assert.Contains("  model.safetensors: 0.3 of 0.3 MB\n  model.safetensors: whole, with the hash that the hub states\n", _output.ToString());
        Assert.Contains("  config.json: whole, with the hash that the hub states\n", _output.ToString());
        Assert.Equal([null], _hub.Ranges);

        var asked = _hub.Requests.Count;
        Assert.Equal(0, await Run(["vit-tiny"]));
        Assert.EndsWith($"  config.json: there already\n  model.safetensors: there already\nIt is in {Model}, where notebook 12 looks for it.\n", _output.ToString());
        Assert.Equal(asked, _hub.Requests.Count);
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_not_to_where_it_leads()
    {
        Assert.Equal(0, await Run(["vit-tiny"], n => n == "HF_TOKEN" ? " hf_secret\n" : _hub.Variable(n)));
        Assert.Contains(_hub.Requests, r => !r.IsHub);
        Assert.All(_hub.Requests, r => Assert.Equal(r.IsHub, r.Lines.Contains("Authorization: Bearer hf_secret")));
    }

    [Fact]
    public async Task A_proxy_is_used()
    {
        HttpClient.DefaultProxy = new WebProxy(_hub.Endpoint);
        _hub.Headers = h => h.Replace(_hub.Store, "http://store.invalid", StringComparison.Ordinal);
        Assert.Equal(1, await Run(["vit-tiny"], n => n == "HF_ENDPOINT" ? "http://hub.invalid/" : null));
        Assert.Equal(_config, File.ReadAllBytes(Path.Combine(_folder, "arriving", "vit-tiny", "config.json")));
        Assert.StartsWith($"GET http://hub.invalid/{Repository}/resolve/main/config.json", _hub.Requests.First().Lines[0]);
    }

    [Fact]
    public async Task A_cut_connection_goes_on_from_where_it_broke()
    {
        _hub.Cuts.Enqueue(100_000);
        _hub.Cuts.Enqueue(0);
        _hub.Cuts.Enqueue(50_000);
        Assert.True(await Fetch());
        Assert.Equal(_weights, File.ReadAllBytes(Target));
        Assert.Equal([null, "bytes=100000-", "bytes=100000-", "bytes=150000-"], _hub.Ranges);
    }

    [Fact]
    public async Task What_an_earlier_call_has_kept_is_not_fetched_again()
    {
        Enumerable.Repeat(0, 5).Prepend(100_000).ToList().ForEach(_hub.Cuts.Enqueue);
        var error = await Assert.ThrowsAsync<HubException>(Fetch);
        Assert.StartsWith("The connection broke 5 times without bringing anything more", error.Message);
        Assert.False(File.Exists(Target));
        Assert.Equal(100_000, new FileInfo(Target + ".part").Length);

        Assert.True(await Fetch());
        Assert.Equal(_weights, File.ReadAllBytes(Target));
        Assert.False(File.Exists(Target + ".part"));
        Assert.Equal("bytes=100000-", _hub.Ranges[^1]);
    }

    [Fact]
    public async Task A_connection_that_goes_silent_counts_as_cut()
    {
        _hub.IsSilent = true;
        Enumerable.Repeat(0, 6).ToList().ForEach(_hub.Cuts.Enqueue);
        using var hub = new HubDownload(_hub.Variable) { Pause = TimeSpan.Zero, Silence = TimeSpan.FromMilliseconds(20) };
        Assert.Contains("nothing came for 0.02 seconds", (await Assert.ThrowsAsync<HubException>(() => Fetch(hub))).Message);
    }

    [Theory]
    [InlineData(300_000)]
    [InlineData(400_000)]
    [InlineData(1_000)]
    public async Task A_part_that_is_whole_too_long_or_met_by_a_store_without_ranges_ends_as_the_file(int kept)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        File.WriteAllBytes(Target + ".part", [.. _weights.Concat(new byte[100_000]).Take(kept)]);
        _hub.HasRanges = kept >= _weights.Length;
        Assert.True(await Fetch());
        Assert.Equal(_weights, File.ReadAllBytes(Target));
    }

    [Theory]
    [InlineData("X-Linked-Size: 300000", "X-Linked-Size: 299999", "expected 299999 bytes, found 300000")]
    [InlineData("X-Linked-ETag: \"", "X-Linked-ETag: \"0000000000000000000000000000000000000000000000000000000000000000\"\r\nX-Other: \"", "expected the SHA-256 0000")]
    public async Task What_is_not_as_stated_is_deleted(string stated, string other, string told)
    {
        _hub.Headers = h => h.Replace(stated, other, StringComparison.Ordinal);
        Assert.Equal(1, await Run(["vit-tiny"]));
        Assert.Contains($"What came as 'model.safetensors' of {Repository} is not what the hub states: {told}", _output.ToString());
        Assert.Equal(["config.json"], Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        // Half a model would stop notebook 12, which opens what lies there.
        Assert.False(Directory.Exists(Model));

        _hub.Headers = h => h;
        Assert.Equal(0, await Run(["vit-tiny"]));
        Assert.Equal(2, Directory.GetFiles(Model).Length);
    }

    [Fact]
    public async Task A_small_file_is_compared_with_its_name_in_git_and_one_without_a_hash_by_its_length()
    {
        var config = Path.Combine(_folder, "config.json");
        using var hub = new HubDownload(_hub.Variable);
        _hub.Headers = h => h.Replace("ETag: \"", "ETag: W/\"0000", StringComparison.Ordinal);
        Assert.False(await hub.Fetch(Repository, "config.json", config, (_, _) => { }, TestContext.Current.CancellationToken));
        Assert.Equal(_config, File.ReadAllBytes(config));

        _hub.Headers = h => h.Replace("ETag: \"", $"ETag: \"{new string('0', 40)}\"\r\nX-Other: \"", StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<HubException>(() => hub.Fetch(Repository, "config.json", config, (_, _) => { }, TestContext.Current.CancellationToken));
        Assert.Contains("expected the git hash 0000", error.Message);
    }

    [Theory]
    [InlineData(401, null, "The hub refuses 'ADDRESS' (401): the file is not for everybody, or not there. A token of one who may read it goes into the variable HF_TOKEN.")]
    [InlineData(403, "hf_secret", "The hub refuses 'ADDRESS' (403): the token in HF_TOKEN is not valid, or not for this file.")]
    [InlineData(404, null, "The hub has no 'ADDRESS' (404): the file was moved or taken away.")]
    [InlineData(503, null, "The hub is busy or out of order (503): run the command again later.")]
    [InlineData(418, null, "The hub answers 'ADDRESS' with 418 As it was asked for: expected the file.")]
    public async Task Each_refusal_has_its_own_words(int status, string? token, string told)
    {
        _hub.Status = status;
        Assert.Equal(1, await Run(["vit-tiny"], n => n == "HF_TOKEN" ? token : _hub.Variable(n)));
        Assert.EndsWith($"\n{told.Replace("ADDRESS", $"{_hub.Endpoint}/{Repository}/resolve/main/config.json")}\n", _output.ToString());
        Assert.Single(_hub.Requests);
    }

    [Fact]
    public async Task Without_a_network_that_is_what_is_told()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var endpoint = $"http://{taken.LocalEndpoint}";
        taken.Stop();
        Assert.Equal(1, await Run(["vit-tiny"], n => n == "HF_ENDPOINT" ? endpoint : null));
        Assert.Contains($"\nThe hub cannot be reached, at {endpoint}: ", _output.ToString());
        Assert.EndsWith(" Is there a network? HTTPS_PROXY sets a proxy, HF_ENDPOINT another address of the hub.\n", _output.ToString());
    }

    [Fact]
    public async Task A_full_disk_is_told()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Only Linux has a file that is always full.");
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        File.CreateSymbolicLink(Target + ".part", "/dev/full");
        Assert.Equal(1, await Run(["vit-tiny"]));
        Assert.True(_output.ToString().Contains($"\nThe disk is full: '{Target}' does not fit."), _output.ToString());
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task An_interruption_keeps_what_has_come()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var hub = new HubDownload(_hub.Variable);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hub.Fetch(Repository, "model.safetensors", Target, (_, _) => stop.Cancel(), stop.Token));
        Assert.False(File.Exists(Target));
        Assert.InRange(new FileInfo(Target + ".part").Length, 1, _weights.Length);

        Assert.Equal(130, await Weights(live: true).Run(["vit-tiny"], _hub.Variable, stop.Token));
        Assert.True(await Fetch());
        Assert.Equal(_weights, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_circle_of_redirects_and_one_to_something_else_than_the_web_are_refused()
    {
        _hub.Headers = h => h.Replace(_hub.Store, _hub.Endpoint, StringComparison.Ordinal);
        Assert.Contains("leads on more than 10 times", (await Assert.ThrowsAsync<HubException>(Fetch)).Message);
        _hub.Headers = h => h.Replace(_hub.Store, "ftp://127.0.0.1", StringComparison.Ordinal);
        Assert.Contains("leads to 'ftp://127.0.0.1', which is less safe", (await Assert.ThrowsAsync<HubException>(Fetch)).Message);
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "hub", "HF_ENDPOINT is 'hub': expected an address such as https://huggingface.co.")]
    [InlineData("HF_ENDPOINT", "ftp://hub", "HF_ENDPOINT is 'ftp://hub': expected an address such as https://huggingface.co.")]
    [InlineData("HF_TOKEN", "hf\nsecret", "HF_TOKEN holds white space or characters that no token has.")]
    public async Task A_setting_that_cannot_be_used_is_told(string name, string value, string told)
    {
        Assert.Equal(1, await Run(["vit-tiny"], n => n == name ? value : null));
        Assert.Equal(told + "\n", _output.ToString());
    }

    PublishedWeights Weights(bool live) => new(Path.Combine(_folder, "weights"), Path.Combine(_folder, "arriving"), _output, live);

    Task<int> Run(IReadOnlyList<string> names, Func<string, string?>? variable = null) =>
        Weights(live: false).Run(names, variable ?? _hub.Variable, TestContext.Current.CancellationToken);

    async Task<bool> Fetch()
    {
        using var hub = new HubDownload(_hub.Variable) { Pause = TimeSpan.Zero };
        return await Fetch(hub);
    }

    Task<bool> Fetch(HubDownload hub) => hub.Fetch(Repository, "model.safetensors", Target, (_, _) => { }, TestContext.Current.CancellationToken);
}
