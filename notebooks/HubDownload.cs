using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Notebooks;

/// <summary>
/// Fetches files from the Hugging Face hub, or from a mirror of it. The hub states a file's length and hash, and leads to a
/// store elsewhere that holds the bytes. Proxies are those that .NET finds in HTTPS_PROXY and its like.
/// </summary>
sealed class HubDownload : IDisposable
{
    const int Attempts = 5;
    const int Redirects = 10;

    readonly Uri _endpoint;
    readonly string? _token;

    // Redirects are followed by hand: the first answer states length and hash, and the token is for the hub alone.
    readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Reads the settings of the hub's own tools; nothing is sent yet.</summary>
    /// <param name="variable">Reads an environment variable: HF_ENDPOINT, the hub's address, and HF_TOKEN, a token for it.</param>
    /// <exception cref="ArgumentException">One of them is nothing that can be used.</exception>
    public HubDownload(Func<string, string?> variable)
    {
        var endpoint = variable("HF_ENDPOINT") is { Length: > 0 } other ? other : "https://huggingface.co";
        _endpoint = Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
            ? address
            : throw new ArgumentException($"HF_ENDPOINT is '{endpoint}': expected an address such as https://huggingface.co.");
        _token = variable("HF_TOKEN")?.Trim() is { Length: > 0 } token ? token : null;
        if (_token is not null && !_token.All(c => c is > ' ' and <= '~'))
        {
            throw new ArgumentException("HF_TOKEN holds white space or characters that no token has.");
        }

        _client.DefaultRequestHeaders.UserAgent.ParseAdd("vit-notebooks");
        _client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    /// <summary>How long to wait before the next attempt after a cut; longer after each that brought nothing.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may be silent before it counts as cut.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Fetches a file: it is whole or absent. Until it is whole it grows beside its place, as <c>.part</c>, from where a later
    /// call goes on; its length and hash are compared with what the hub states.
    /// </summary>
    /// <param name="repository">For instance <c>google/vit-base-patch16-224</c>.</param>
    /// <param name="file">A file of it.</param>
    /// <param name="target">Where it is put; the folder is made.</param>
    /// <param name="progress">Is told the bytes so far, and how many there will be if that is known.</param>
    /// <param name="cancellation">Stops it; what has come is kept.</param>
    /// <returns>Whether the hub stated a hash to compare with.</returns>
    /// <exception cref="HubException">The hub is not reached, refuses, has no such file, or what came is something else than it states.</exception>
    /// <exception cref="IOException">The file cannot be written; the message tells a full disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is not to be written to.</exception>
    public async Task<bool> Fetch(string repository, string file, string target, Action<long, long?> progress, CancellationToken cancellation)
    {
        var part = target + ".part";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            Stated stated;
            string? fault;
            // Not shared: two calls at once would write into one another.
            await using (var stream = new FileStream(part, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0 }))
            {
                stated = await Receive(new Uri(_endpoint, $"{repository}/resolve/main/{file}"), stream, progress, cancellation);
                fault = await FaultOf(stream, stated, cancellation);
                stream.Flush(flushToDisk: fault is null);
            }

            if (fault is not null)
            {
                File.Delete(part);
                throw new HubException($"What came as '{file}' of {repository} is not what the hub states: {fault}. It is deleted: run the command again.");
            }

            File.Move(part, target, overwrite: true);
            return stated.Hash is not null;
        }
        catch (IOException e) when (IsDiskFull(e))
        {
            throw new IOException($"The disk is full: '{target}' does not fit. What has come is kept: make room and run the command again, and it goes on from there.", e);
        }
    }

    /// <summary>Ends the connections.</summary>
    public void Dispose() => _client.Dispose();

    /// <param name="Length">In bytes.</param>
    /// <param name="Hash">In hexadecimal digits: SHA-256 of a large file (64), or git's name for the content of a small one (40).</param>
    sealed record Stated(long? Length, string? Hash);

    /// <summary>Receives what is missing, as often as the connection breaks and each time brings something.</summary>
    async Task<Stated> Receive(Uri address, FileStream part, Action<long, long?> progress, CancellationToken cancellation)
    {
        var (first, most, failures) = (part.Length, part.Length, 0);
        while (true)
        {
            Exception? cut = null;
            try
            {
                var stated = await ReceiveOnce(address, part, progress, cancellation);
                if (stated is not null)
                {
                    return stated;
                }
            }
            catch (HttpRequestException e) when (most == first && failures == 0)
            {
                throw new HubException($"The hub cannot be reached, at {address.GetLeftPart(UriPartial.Authority)}: {e.GetBaseException().Message}. "
                    + "Is there a network? HTTPS_PROXY sets a proxy, HF_ENDPOINT another address of the hub.", e);
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException or TimeoutException)
            {
                cut = e;
            }

            (most, failures) = part.Length > most ? (part.Length, 0) : (most, failures + 1);
            if (failures == Attempts)
            {
                throw new HubException($"The connection broke {Attempts} times without bringing anything more ({(cut ?? new EndOfStreamException()).GetBaseException().Message}). "
                    + "What has come is kept: run the command again, and it goes on from there.", cut);
            }

            await Task.Delay(Pause * (failures + 1), cancellation);
        }
    }

    /// <summary>One request for what is missing.</summary>
    /// <returns>What the hub states about the whole file; null if it is not whole.</returns>
    async Task<Stated?> ReceiveOnce(Uri address, FileStream part, Action<long, long?> progress, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            silence.CancelAfter(Silence);
            var (response, stated) = await Open(address, part.Length, silence.Token);
            using (response)
            {
                if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && part.Length > 0)
                {
                    if (part.Length == stated.Length)
                    {
                        return stated;
                    }

                    // More than there is: of another version of the file.
                    part.SetLength(0);
                    return null;
                }

                Check(response, address);
                var range = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange : null;
                if (range is null ? part.Length > 0 : range.From != part.Length)
                {
                    part.SetLength(0);
                    if (range is not null)
                    {
                        return null;
                    }
                }

                stated = stated with { Length = stated.Length ?? range?.Length ?? response.Content.Headers.ContentLength };
                part.Position = part.Length;
                await using var content = await response.Content.ReadAsStreamAsync(silence.Token);
                var buffer = new byte[1 << 17];
                while (await Read(content, buffer, silence.Token) is var count and > 0)
                {
                    await part.WriteAsync(buffer.AsMemory(0, count), cancellation);
                    progress(part.Length, stated.Length);
                    silence.CancelAfter(Silence);
                }

                return part.Length < stated.Length ? null : stated;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {Silence.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds");
        }
    }

    /// <summary>Reads so that a fault of the connection differs from one of the disk.</summary>
    static async Task<int> Read(Stream content, Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await content.ReadAsync(buffer, cancellation);
        }
        catch (IOException e) when (e is not HttpIOException)
        {
            throw new HttpIOException(HttpRequestError.ResponseEnded, e.Message, e);
        }
    }

    /// <summary>Asks for a file from an offset on, and follows to where its bytes are.</summary>
    async Task<(HttpResponseMessage Response, Stated Stated)> Open(Uri address, long offset, CancellationToken cancellation)
    {
        var (at, stated) = (address, new Stated(null, null));
        for (var i = 0; i <= Redirects; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, at);
            var isHub = Uri.Compare(at, _endpoint, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;
            request.Headers.Authorization = isHub && _token is not null ? new("Bearer", _token) : null;
            request.Headers.Range = offset > 0 ? new RangeHeaderValue(offset, null) : null;
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (isHub)
            {
                var length = long.TryParse(Header(response, "x-linked-size"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : (long?)null;
                var hash = HashOf(Header(response, "x-linked-etag")) ?? (response.IsSuccessStatusCode ? HashOf(Header(response, "etag")) : null);
                stated = new(stated.Length ?? length, stated.Hash ?? hash);
            }

            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return (response, stated);
            }

            response.Dispose();
            var next = new Uri(at, location);
            if (next.Scheme != at.Scheme && next.Scheme != Uri.UriSchemeHttps)
            {
                throw new HubException($"{at.Host} leads to '{next.GetLeftPart(UriPartial.Authority)}', which is less safe: not followed.");
            }

            at = next;
        }

        throw new HubException($"'{address}' leads on more than {Redirects} times: not followed any further.");
    }

    /// <exception cref="HubException">The answer is no file.</exception>
    void Check(HttpResponseMessage response, Uri address)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var status = (int)response.StatusCode;
        throw new HubException(status switch
        {
            401 or 403 => $"The hub refuses '{address}' ({status}): " + (_token is null
                ? "the file is not for everybody, or not there. A token of one who may read it goes into the variable HF_TOKEN."
                : "the token in HF_TOKEN is not valid, or not for this file."),
            404 or 410 => $"The hub has no '{address}' ({status}): the file was moved or taken away.",
            429 or >= 500 => $"The hub is busy or out of order ({status}): run the command again later.",
            _ => $"The hub answers '{address}' with {status} {response.ReasonPhrase}: expected the file.",
        });
    }

    /// <summary>What of the file is not as stated; null if all is.</summary>
    static async Task<string?> FaultOf(FileStream file, Stated stated, CancellationToken cancellation)
    {
        if (stated.Length is { } length && file.Length != length)
        {
            return $"expected {length} bytes, found {file.Length}";
        }

        if (stated.Hash is null)
        {
            return null;
        }

        file.Position = 0;
        var isGit = stated.Hash.Length == 40;
        using var hash = IncrementalHash.CreateHash(isGit ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        if (isGit)
        {
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
        }

        var buffer = new byte[1 << 17];
        while (await file.ReadAsync(buffer, cancellation) is var count and > 0)
        {
            hash.AppendData(buffer, 0, count);
        }

        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        return found == stated.Hash ? null : $"expected the {(isGit ? "git hash" : "SHA-256")} {stated.Hash}, found {found}";
    }

    static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    /// <summary>The hash that an entity tag is; null if it is none.</summary>
    static string? HashOf(string? tag) =>
        tag?.Replace("W/", "", StringComparison.Ordinal).Trim('"') is { Length: 40 or 64 } hash && hash.All(char.IsAsciiHexDigit) ? hash.ToLowerInvariant() : null;

    /// <summary>ENOSPC of Linux and macOS, ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL of Windows.</summary>
    static bool IsDiskFull(IOException e) => e.HResult is 28 or unchecked((int)0x80070070) or unchecked((int)0x80070027);
}
