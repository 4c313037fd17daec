using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using KestrelStream.Acme.Documents;

namespace KestrelStream.Acme.Protocol;

/// <summary>HTTP with one authority, bounded: whatever its server does ends in time and in memory, as a value. Thread-safe.</summary>
internal sealed class AcmeHttp : IDisposable
{
    /// <summary>A chain of certificates is some ten KiB; documents are smaller.</summary>
    private const int MaxBodyBytes = 256 * 1024;

    private const int MaxHeadersKiB = 16;

    private const int MaxUrlChars = 2048;

    private const string NonceHeader = "Replay-Nonce";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly TimeProvider _time;

    /// <param name="roots">What the authority's certificate must lead to; null = what the operating system trusts.</param>
    /// <param name="time">Bounds each request.</param>
    public AcmeHttp(X509Certificate2Collection? roots, TimeProvider time)
        : this(HandlerOf(roots), time)
    {
    }

    public AcmeHttp(HttpMessageHandler handler, TimeProvider time)
    {
        _time = time;
        _http = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("KestrelStream", typeof(AcmeHttp).Assembly.GetName().Version?.ToString(3)));
    }

    /// <summary>Only https, wherever an authority points.</summary>
    public static AcmeResult<Uri> ParseUrl(string? url, string what)
        => url is { Length: <= MaxUrlChars } && Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme == Uri.UriSchemeHttps
            ? parsed
            : new AcmeFailure($"the authority gives no usable URL for {what}");

    public Task<(AcmeResult<AcmeResponse> Result, string? Nonce)> GetAsync(Uri url, CancellationToken cancellation) => SendAsync(HttpMethod.Get, url, null, cancellation);

    public Task<(AcmeResult<AcmeResponse> Result, string? Nonce)> HeadAsync(Uri url, CancellationToken cancellation) => SendAsync(HttpMethod.Head, url, null, cancellation);

    public Task<(AcmeResult<AcmeResponse> Result, string? Nonce)> PostAsync(Uri url, byte[] body, CancellationToken cancellation) => SendAsync(HttpMethod.Post, url, body, cancellation);

    public void Dispose() => _http.Dispose();

    private async Task<(AcmeResult<AcmeResponse> Result, string? Nonce)> SendAsync(HttpMethod method, Uri url, byte[]? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/jose+json");
        }

        using var timeout = new CancellationTokenSource(Timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, linked.Token);
            var nonce = response.Headers.TryGetValues(NonceHeader, out var nonces) ? nonces.First() : null;
            return (await ReadAsync(url, response, linked.Token), nonce);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (new AcmeFailure($"{url}: no answer within {Timeout.TotalSeconds} seconds"), null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            return (new AcmeFailure($"{url}: {(e.InnerException ?? e).Message}"), null);
        }
    }

    private async Task<AcmeResult<AcmeResponse>> ReadAsync(Uri url, HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var body = new byte[MaxBodyBytes + 1];
        var count = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation);
        if (count > MaxBodyBytes)
        {
            return new AcmeFailure($"{url}: the answer is longer than {MaxBodyBytes} bytes");
        }

        var read = new AcmeResponse(url, body[..count], response.Headers.Location is { IsAbsoluteUri: true } location ? location : null, RetryAfter.Of(response.Headers.RetryAfter, _time.GetUtcNow()));
        if (response.IsSuccessStatusCode)
        {
            return read;
        }

        var what = string.Create(CultureInfo.InvariantCulture, $"{url} answered {(int)response.StatusCode}");
        var isRefusal = (int)response.StatusCode is >= 400 and < 500;
        return read.Read(AcmeJson.Default.ProblemDocument).Value is { Type: not null } problem
            ? AcmeFailure.Of(what, problem, isRefusal, read.RetryAfter)
            : new AcmeFailure(what, IsRefusal: isRefusal, RetryAfter: read.RetryAfter);
    }

    private static SocketsHttpHandler HandlerOf(X509Certificate2Collection? roots)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = MaxHeadersKiB,
            MaxResponseDrainSize = 0,
            ConnectTimeout = Timeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        };
        if (roots is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(roots);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }
}
