using System.Security.Cryptography.X509Certificates;
using KestrelStream.Diagnostics;
using KestrelStream.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Tls.Ocsp;

/// <summary>Keeps what is known of one certificate fresh: from a file, else from a responder. A loop of its own that only ever waits, asks and writes the staple.</summary>
internal sealed partial class OcspWatch : IDisposable
{
    private static readonly TimeSpan s_filePoll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_lastRetry = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_soonest = TimeSpan.FromSeconds(10);

    /// <summary>A revocation shows within this, whatever the answer before has said of its own life.</summary>
    private static readonly TimeSpan s_latest = TimeSpan.FromHours(12);

    /// <summary>For how long an answer that names no end is believed.</summary>
    private static readonly TimeSpan s_endless = TimeSpan.FromHours(2);

    /// <summary>Questions under way in the process, however many certificates there are.</summary>
    private static readonly SemaphoreSlim s_turns = new(4);

    private readonly string _id;
    private readonly X509Certificate2 _leaf;
    private readonly Lazy<X509Certificate2?> _issuer;
    private readonly Uri? _responder;
    private readonly string[] _files;
    private readonly OcspClient _client;
    private readonly OcspCells _cells;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;
    private FileFingerprint[]? _seen;
    private bool _isFromFile;
    private DateTimeOffset _nextQuestion;
    private int _failures;
    private string? _said;

    public OcspWatch(CertificateEntry certificate, OcspSource source, OcspClient client, OcspCells cells, TimeProvider time, ILogger logger)
    {
        _id = certificate.Id;
        _leaf = certificate.CreatePublicLeaf();
        _issuer = new(() => OcspSubject.IssuerOf(certificate));
        _responder = source.Responder is { } responder ? new Uri(responder) : OcspSubject.ResponderOf(_leaf);
        _files = source.Files.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        _client = client;
        _cells = cells;
        _time = time;
        _stopped = _stopping.Token;
        _logger = logger;
        Staple = new OcspStaple(time);
    }

    public OcspStaple Staple { get; }

    public void Start() => _ = Task.Run(RunAsync);

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        _cells.Expires(_id, null);
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                LookAtFiles();
                if (!_isFromFile && _time.GetUtcNow() >= _nextQuestion)
                {
                    await AskAsync();
                }

                // An end of its own: what was stapled until now is not replaced by silence without a word.
                if (Staple is { Answer: not null, Current: null })
                {
                    Staple.Answer = null;
                    _cells.Expires(_id, null);
                    Say("the last answer has expired, and nothing is stapled");
                }

                var pause = _isFromFile ? s_latest : _nextQuestion - _time.GetUtcNow();
                var longest = _files.Length > 0 ? s_filePoll : s_latest;

                // Up to a whole millisecond, which is what a delay counts in: one that ended too early would be followed by many of none.
                pause = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(pause.TotalMilliseconds)));
                await Task.Delay(pause < longest ? pause : longest, _time, _stopped);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
        catch (Exception e)
        {
            // Nobody waits for this loop: without a word it would be missed when the last answer has expired.
            LogBroken(_logger, e, _id);
        }
    }

    private void LookAtFiles()
    {
        var now = _files.Length == 0 ? [] : _files.Select(FileFingerprint.Read).ToArray();
        if (_files.Length == 0 || (_seen is { } seen && seen.AsSpan().SequenceEqual(now)))
        {
            return;
        }

        _seen = now;
        string? problem = null;
        OcspAnswer? answer = null;
        foreach (var file in _files)
        {
            answer = OcspFile.Read(file, out problem) is { } der ? Verify(der, out problem) : null;
            if (answer is not null)
            {
                break;
            }
        }

        _isFromFile = answer is not null || _responder is null;
        if (answer is not null)
        {
            Take(answer);
        }
        else if (_responder is null)
        {
            _cells.Count(_id, OcspStatus.Failed);
            Say($"no file has an answer for it: {problem}");
        }
    }

    private async Task AskAsync()
    {
        string? problem = null;
        byte[]? der = null;
        if (_responder is null)
        {
            problem = "it names no responder, and none is configured";
        }
        else if (_issuer.Value is not { } issuer)
        {
            problem = "its issuer's certificate is not in its file";
        }
        else if (OpenSslOcsp.Ask(_leaf, issuer) is { } question)
        {
            await s_turns.WaitAsync(_stopped);
            try
            {
                (der, problem) = await _client.AskAsync(_responder, question, _stopped);
            }
            finally
            {
                s_turns.Release();
            }
        }

        var now = _time.GetUtcNow();
        if (der is not null && Verify(der, out problem) is { } answer)
        {
            Take(answer.NextUpdate is null ? answer with { NextUpdate = now + s_endless } : answer);
            return;
        }

        _cells.Count(_id, OcspStatus.Failed);
        Say(problem ?? "OpenSSL cannot ask about it");
        Later(now);
    }

    private OcspAnswer? Verify(byte[] der, out string? problem)
    {
        problem = "its issuer's certificate is not in its file";
        return _issuer.Value is { } issuer ? OpenSslOcsp.Verify(der, _leaf, issuer, _time.GetUtcNow(), out problem) : null;
    }

    private void Take(OcspAnswer answer)
    {
        var now = _time.GetUtcNow();
        _cells.Count(_id, answer.Status);
        if (answer.Status != OcspStatus.Good)
        {
            // To go on with a good one that is still in force would be a lie; a bad one tells a client no more than nothing, as with nginx.
            Staple.Answer = null;
            _cells.Expires(_id, null);
            Say(answer.Status == OcspStatus.Revoked ? "it is revoked" : "the responder does not know it");
            Later(now);
            return;
        }

        Staple.Answer = answer;
        _cells.Expires(_id, answer.NextUpdate);
        _failures = 0;
        _said = null;
        var half = answer.NextUpdate is { } end ? (end - now) / 2 : s_latest;
        _nextQuestion = now + (half < s_soonest ? s_soonest : half > s_latest ? s_latest : half);
        LogGood(_logger, _id, answer.NextUpdate);
    }

    private void Later(DateTimeOffset now)
    {
        var retry = s_firstRetry * Math.Pow(2, Math.Min(_failures++, 10));
        _nextQuestion = now + (retry < s_lastRetry ? retry : s_lastRetry);
    }

    /// <summary>Once for as long as it is the same.</summary>
    private void Say(string what)
    {
        if (_said != what)
        {
            _said = what;
            LogProblem(_logger, _id, what);
        }
    }

    [LoggerMessage(EventIds.OcspFetched, LogLevel.Information, "Certificate {Certificate}: its OCSP answer is good until {End:u}")]
    private static partial void LogGood(ILogger logger, string certificate, DateTimeOffset? end);

    [LoggerMessage(EventIds.OcspFailed, LogLevel.Warning, "Certificate {Certificate} has no new OCSP answer to staple: {Reason}")]
    private static partial void LogProblem(ILogger logger, string certificate, string reason);

    [LoggerMessage(EventIds.OcspBroken, LogLevel.Error, "Certificate {Certificate}: its OCSP answers are no longer looked after")]
    private static partial void LogBroken(ILogger logger, Exception exception, string certificate);
}
