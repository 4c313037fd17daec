using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Protocol;
using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Acme.Issuing;

/// <summary>
/// Sees to it that one certificate is there and in time for its next one, until it is stopped: wait → order → wait. Its state may be read from any thread.
/// </summary>
/// <remarks><c>written</c> is told of each new file, so that nobody has to find it.</remarks>
internal sealed partial class CertificateKeeper(
    string id,
    AcmeConfig config,
    AcmeAuthority authority,
    AcmeStorage storage,
    IChallengeResponder responder,
    NameTurns turns,
    AcmeTimings timings,
    Action<string> written,
    TimeProvider time,
    ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private volatile CertificateIssuance _issuance = new(id, IssuanceState.Ordering, null, null, 0, 0);
    private Task _running = Task.CompletedTask;

    // In a row.
    private int _failures;
    private DateTimeOffset _notBefore;
    private Plan? _plan;

    public string Id => id;

    public AcmeConfig Config => config;

    public AcmeAuthority Authority => authority;

    public CertificateIssuance Issuance => _issuance;

    /// <param name="previous">What kept the same certificate before, and is stopping.</param>
    public void Start(Task previous) => _running = Task.Run(() => RunAsync(previous));

    /// <summary>Ends within moments: whatever is awaited is given up.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(Task previous)
    {
        await previous;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await StepAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                // A defect; the other certificates and the proxy go on, and so does this one.
                LogBroken(logger, e, id);
                Failed(new AcmeFailure("a defect of the proxy; the log has the exception"), storage.ReadCertificate(id));
            }
        }
    }

    /// <summary>One wait, or one attempt.</summary>
    private async Task StepAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var certificate = storage.ReadCertificate(id);
        var due = certificate is null || !certificate.Fits(config) ? now : await RenewalOfAsync(certificate, now, cancellation);
        due = due > _notBefore ? due : _notBefore;
        if (due > now)
        {
            _issuance = _issuance with { State = _failures > 0 ? IssuanceState.BackingOff : IssuanceState.Issued, Next = due };
            var until = _plan is { } plan && plan.AskAgain > now && plan.AskAgain < due ? plan.AskAgain : due;
            var sleep = until - now < timings.LongestSleep ? until - now : timings.LongestSleep;

            // Timers drop what is below a millisecond: one more, or the end would be waited for in circles.
            await Task.Delay(sleep + TimeSpan.FromMilliseconds(1), time, cancellation);
            return;
        }

        _issuance = _issuance with { State = IssuanceState.Ordering, Next = null };
        await AttemptAsync(certificate, cancellation);
    }

    private async Task AttemptAsync(StoredCertificate? certificate, CancellationToken cancellation)
    {
        AcmeFailure? failure;
        using (await turns.EnterAsync(config.Names, cancellation))
        {
            LogStarted(logger, id, string.Join(", ", config.Names), config.Directory);
            failure = await OrderAsync(certificate, cancellation);
        }

        if (failure is not null)
        {
            Failed(failure, certificate);
        }
    }

    private async Task<AcmeFailure?> OrderAsync(StoredCertificate? certificate, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(timings.Attempt, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        var replaces = certificate is not null && certificate.Fits(config) ? RenewalId.Of(certificate.Leaf) : null;
        try
        {
            var order = new CertificateOrder(id, config, authority, storage, responder, timings, time);
            if (!(await order.RunAsync(replaces, linked.Token)).IsOk(out var chain, out var failure))
            {
                return failure;
            }

            Issued(chain.Leaf);
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new AcmeFailure($"the authority was not done within {timings.Attempt}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new AcmeFailure($"'{storage.Folder}' cannot be written: {e.Message}");
        }
    }

    private void Issued(X509Certificate2 leaf)
    {
        written(id);
        _failures = 0;
        _notBefore = time.GetUtcNow() + RenewalSchedule.ShortestUse(leaf.NotAfter - leaf.NotBefore);
        _issuance = _issuance with { State = IssuanceState.Issued, LastError = null, Issued = _issuance.Issued + 1 };
        LogIssued(logger, id, string.Join(", ", config.Names), leaf.NotAfter.ToUniversalTime());
    }

    private void Failed(AcmeFailure failure, StoredCertificate? certificate)
    {
        _failures++;
        var wait = BackOff.After(_failures, failure.RetryAfter, timings, Random.Shared.NextDouble());
        _notBefore = time.GetUtcNow() + wait;
        _issuance = _issuance with { State = IssuanceState.BackingOff, Next = _notBefore, LastError = failure.Message, Failed = _issuance.Failed + 1 };
        var valid = certificate is null ? "there is none yet" : string.Create(CultureInfo.InvariantCulture, $"the one in use is valid until {certificate.NotAfter:u}");
        LogFailed(logger, id, failure.Message, _notBefore, valid);
    }

    /// <summary>Planned once for a certificate, and again when the authority is asked again.</summary>
    private async Task<DateTimeOffset> RenewalOfAsync(StoredCertificate certificate, DateTimeOffset now, CancellationToken cancellation)
    {
        if (_plan is not { } plan || plan.Serial != certificate.Leaf.SerialNumber || now >= plan.AskAgain)
        {
            var before = _plan?.Serial == certificate.Leaf.SerialNumber ? _plan : null;
            _plan = plan = await PlanAsync(certificate, before, now, cancellation);
            if (before?.At != plan.At)
            {
                LogPlanned(logger, id, plan.At, plan.IsSuggested ? "the authority suggests it" : "its age");
            }
        }

        return plan.At;
    }

    private async Task<Plan> PlanAsync(StoredCertificate certificate, Plan? before, DateTimeOffset now, CancellationToken cancellation)
    {
        var serial = certificate.Leaf.SerialNumber;
        var own = before is { IsSuggested: false } ? before.At
            : RenewalSchedule.Planned(certificate.NotBefore, certificate.NotAfter, config.RenewBefore, Random.Shared.NextDouble());
        if (config.RenewBefore is not null)
        {
            return new Plan(serial, own, DateTimeOffset.MaxValue, false);
        }

        var (window, askAfter) = await SuggestionAsync(certificate, cancellation);
        var askAgain = now + (askAfter ?? timings.Suggestion);
        if (before is { IsSuggested: true } && window is { } same && before.At >= same.Start && before.At <= same.End)
        {
            return before with { AskAgain = askAgain };
        }

        return RenewalSchedule.Within(window, Random.Shared.NextDouble()) is { } at && at < certificate.NotAfter
            ? new Plan(serial, at, askAgain, true)
            : new Plan(serial, own, askAgain, false);
    }

    /// <summary>RFC 9773. No answer is no suggestion: the certificate's age decides then.</summary>
    private async Task<(RenewalWindow? Window, TimeSpan? AskAfter)> SuggestionAsync(StoredCertificate certificate, CancellationToken cancellation)
    {
        if (RenewalId.Of(certificate.Leaf) is not { } name
            || (await authority.GetDirectoryAsync(cancellation)).Value?.RenewalInfo is not { } service
            || AcmeHttp.ParseUrl($"{service.TrimEnd('/')}/{name}", "renewals").Value is not { } url
            || (await authority.GetAsync(url, cancellation)).Value is not { } response)
        {
            return default;
        }

        // Not more often than a minute: an authority may send anything.
        var askAfter = response.RetryAfter is { } wait ? (wait > TimeSpan.FromMinutes(1) ? wait : TimeSpan.FromMinutes(1)) : (TimeSpan?)null;
        return (response.Read(AcmeJson.Default.RenewalInfoDocument).Value?.SuggestedWindow, askAfter);
    }

    [LoggerMessage(EventIds.AcmeOrderStarted, LogLevel.Information, "Certificate {Certificate}: ordered for {Names} from {Directory}")]
    private static partial void LogStarted(ILogger logger, string certificate, string names, string directory);

    [LoggerMessage(EventIds.AcmeIssued, LogLevel.Information, "Certificate {Certificate}: issued for {Names}, valid until {NotAfter:u}")]
    private static partial void LogIssued(ILogger logger, string certificate, string names, DateTimeOffset notAfter);

    [LoggerMessage(EventIds.AcmeFailed, LogLevel.Error, "Certificate {Certificate} was not issued: {Reason}; tried again at {Next:u}; {Valid}")]
    private static partial void LogFailed(ILogger logger, string certificate, string reason, DateTimeOffset next, string valid);

    [LoggerMessage(EventIds.AcmeRenewalPlanned, LogLevel.Information, "Certificate {Certificate}: will be renewed at {At:u} ({Why})")]
    private static partial void LogPlanned(ILogger logger, string certificate, DateTimeOffset at, string why);

    [LoggerMessage(EventIds.AcmeBroken, LogLevel.Error, "Certificate {Certificate}: the ACME client has a defect")]
    private static partial void LogBroken(ILogger logger, Exception exception, string certificate);

    /// <summary>When a certificate is renewed.</summary>
    /// <param name="Serial">Which one.</param>
    /// <param name="At">When.</param>
    /// <param name="AskAgain">When the authority is asked for its suggestion again.</param>
    /// <param name="IsSuggested">It is the authority's.</param>
    private sealed record Plan(string Serial, DateTimeOffset At, DateTimeOffset AskAgain, bool IsSuggested);
}
