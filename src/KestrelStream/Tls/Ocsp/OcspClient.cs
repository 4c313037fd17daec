using System.Net;
using System.Net.Http.Headers;

namespace KestrelStream.Tls.Ocsp;

/// <summary>Asks responders over HTTP (RFC 6960 appendix A). What goes wrong is a value. One for the process; thread-safe.</summary>
internal sealed class OcspClient : IDisposable
{
    /// <summary>Answers have 0.5 to 4 KiB.</summary>
    public const int MaxAnswerBytes = 64 << 10;

    /// <summary>Of a question, whatever else bounds it.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private static readonly MediaTypeHeaderValue s_requestType = new("application/ocsp-request");

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = Timeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
        MaxResponseHeadersLength = 16,
    })
    {
        Timeout = Timeout,
        MaxResponseContentBufferSize = MaxAnswerBytes,
    };

    /// <summary>DER that nobody has looked at yet, or why there is none.</summary>
    public async Task<(byte[]? Der, string? Problem)> AskAsync(Uri responder, byte[] question, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new ByteArrayContent(question) { Headers = { ContentType = s_requestType } };
            using var response = await _http.PostAsync(responder, content, cancellationToken);
            return response.StatusCode == HttpStatusCode.OK
                ? (await response.Content.ReadAsByteArrayAsync(cancellationToken), null)
                : (null, $"the responder says {(int)response.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            return (null, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, "the responder has not answered in time");
        }
    }

    public void Dispose() => _http.Dispose();
}
