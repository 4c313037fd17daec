using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls.Ocsp;

/// <summary>
/// What responders have said of clients' certificates, for as long as it may be believed. One question a certificate at a time, however many sessions want to
/// know. Only certificates that were verified may be asked about: then the URL is the authority's word, not a client's. One for the process; thread-safe.
/// </summary>
internal sealed class ClientAnswers(TimeProvider time) : IDisposable
{
    /// <summary>Of some 400 bytes each. The oldest goes when there is no room, and is asked for again.</summary>
    public const int Most = 10_000;

    /// <summary>Questions under way in the process. Others wait for their turn, within their time.</summary>
    public const int MostQuestions = 64;

    /// <summary>A revocation shows within this, whatever an answer says of its own life.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>For how long an answer that names no end is believed: newer ones can be had at any time (RFC 6960 §4.2.2.1).</summary>
    public static readonly TimeSpan Endless = TimeSpan.FromMinutes(1);

    /// <summary>A responder that does not answer is not asked by every session.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Certificate, string Issuer, string? Responder), Answer> _answers = [];
    private readonly Queue<(string Certificate, string Issuer, string? Responder)> _order = new();
    private readonly SemaphoreSlim _turns = new(MostQuestions);
    private readonly OcspClient _client = new();

    /// <summary>Never fails: what goes wrong is <see cref="OcspStatus.Failed"/> and says why.</summary>
    public ValueTask<(OcspStatus Status, string? Problem)> GetAsync(ClientCertificate certificate, ClientCertificatesConfig config)
    {
        var key = (certificate.Sha256, Convert.ToHexString(SHA256.HashData(certificate.IssuerDer)), config.OcspResponder);
        Answer answer;
        lock (_gate)
        {
            if (!_answers.TryGetValue(key, out answer!) || answer.Until <= time.GetUtcNow())
            {
                if (answer is null)
                {
                    _order.Enqueue(key);
                    if (_order.Count > Most)
                    {
                        _answers.Remove(_order.Dequeue());
                    }
                }

                answer = _answers[key] = new Answer();
                answer.Task = Task.Run(() => AskAsync(answer, certificate, config));
            }
        }

        return new ValueTask<(OcspStatus, string?)>(answer.Task);
    }

    public void Dispose() => _client.Dispose();

    private async Task<(OcspStatus Status, string? Problem)> AskAsync(Answer answer, ClientCertificate certificate, ClientCertificatesConfig config)
    {
        var found = await FindAsync(certificate, config);
        var now = time.GetUtcNow();
        var end = found.Answer is null ? now + Pause : found.Answer.NextUpdate ?? now + Endless;
        answer.Until = end < now + Longest ? end : now + Longest;
        return (found.Answer?.Status ?? OcspStatus.Failed, found.Problem);
    }

    private async Task<(OcspAnswer? Answer, string? Problem)> FindAsync(ClientCertificate certificate, ClientCertificatesConfig config)
    {
        if (certificate.IssuerDer.Length == 0)
        {
            return (null, "its issuer is not known");
        }

        using var timeout = new CancellationTokenSource(config.OcspTimeout, time);
        try
        {
            using var leaf = X509CertificateLoader.LoadCertificate(certificate.Der);
            using var issuer = X509CertificateLoader.LoadCertificate(certificate.IssuerDer);
            if ((config.OcspResponder is { } url ? new Uri(url) : OcspSubject.ResponderOf(leaf)) is not { } responder)
            {
                return (null, "it names no responder, and none is configured");
            }

            if (OpenSslOcsp.Ask(leaf, issuer) is not { } question)
            {
                return (null, "OpenSSL cannot ask about it");
            }

            await _turns.WaitAsync(timeout.Token);
            try
            {
                var (der, problem) = await _client.AskAsync(responder, question, timeout.Token);
                return der is null ? (null, problem) : (OpenSslOcsp.Verify(der, leaf, issuer, time.GetUtcNow(), out problem), problem);
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return (null, "the responder has not answered in time");
        }
        catch (Exception e) when (e is CryptographicException or ObjectDisposedException)
        {
            return (null, e.Message);
        }
    }

    /// <summary>What is known of one certificate, or is being asked.</summary>
    private sealed class Answer
    {
        private long _until = DateTimeOffset.MaxValue.UtcTicks;

        public Task<(OcspStatus Status, string? Problem)> Task { get; set; } = null!;

        /// <summary>For ever while it is being asked.</summary>
        public DateTimeOffset Until
        {
            get => new(Interlocked.Read(ref _until), TimeSpan.Zero);
            set => Interlocked.Exchange(ref _until, value.UtcTicks);
        }
    }
}
