using System.Collections.Concurrent;
using KestrelStream.Acme.Documents;

namespace KestrelStream.Acme.Protocol;

/// <summary>Signed requests to one authority under one account key: directory, nonces, and the second try when one was refused. Thread-safe.</summary>
internal sealed class AcmeClient(AcmeHttp http, Uri directoryUrl, AccountKey key) : IDisposable
{
    /// <summary>Of nonces refused one after the other: a server that refuses half of them loses one request in a million.</summary>
    private const int MaxNonces = 20;

    /// <summary>Nonces in stock; more than that come with answers than are used.</summary>
    private const int MaxStock = 16;

    private readonly ConcurrentStack<string> _nonces = new();
    private volatile DirectoryDocument? _directory;

    public AccountKey Key => key;

    /// <summary>Asked once; again after a failure.</summary>
    public async Task<AcmeResult<DirectoryDocument>> GetDirectoryAsync(CancellationToken cancellation)
    {
        if (_directory is { } known)
        {
            return known;
        }

        var (result, _) = await http.GetAsync(directoryUrl, cancellation);
        if (!result.IsOk(out var response, out var failure) || !response.Read(AcmeJson.Default.DirectoryDocument).IsOk(out var directory, out failure))
        {
            return failure;
        }

        return _directory = directory;
    }

    /// <summary>What an authority says is not for ever: asks for the directory again the next time.</summary>
    public void ForgetDirectory() => _directory = null;

    /// <summary>GET without an account, as RFC 9773 has it.</summary>
    public async Task<AcmeResult<AcmeResponse>> GetAsync(Uri url, CancellationToken cancellation) => (await http.GetAsync(url, cancellation)).Result;

    /// <param name="url">Where to.</param>
    /// <param name="account">URL of the account; null = the key itself is sent.</param>
    /// <param name="payload">JSON; empty = the POST stands for a GET.</param>
    /// <param name="cancellation">Of the whole.</param>
    public async Task<AcmeResult<AcmeResponse>> PostAsync(Uri url, string? account, byte[] payload, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (!(await TakeNonceAsync(cancellation)).IsOk(out var nonce, out var failure))
            {
                return failure;
            }

            var (result, next) = await http.PostAsync(url, SignedMessage.Sign(key, account, nonce, url, payload), cancellation);
            Keep(next);

            // RFC 8555 §6.5: the refusal itself brings a nonce that will do.
            if (result.Failure?.Type != ProblemDocument.BadNonce || attempt == MaxNonces)
            {
                return result;
            }
        }
    }

    public void Dispose()
    {
        http.Dispose();
        key.Dispose();
    }

    private async Task<AcmeResult<string>> TakeNonceAsync(CancellationToken cancellation)
    {
        if (_nonces.TryPop(out var kept))
        {
            return kept;
        }

        if (!(await GetDirectoryAsync(cancellation)).IsOk(out var directory, out var failure)
            || !AcmeHttp.ParseUrl(directory.NewNonce, "nonces").IsOk(out var url, out failure))
        {
            return failure;
        }

        var (result, nonce) = await http.HeadAsync(url, cancellation);
        return result.Failure is { } refused ? refused
            : UrlSafeText.IsOne(nonce) ? nonce
            : new AcmeFailure($"{url}: the answer has no nonce");
    }

    private void Keep(string? nonce)
    {
        if (UrlSafeText.IsOne(nonce) && _nonces.Count < MaxStock)
        {
            _nonces.Push(nonce);
        }
    }
}
