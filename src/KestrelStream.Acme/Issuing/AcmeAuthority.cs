using System.Buffers.Text;
using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Protocol;
using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Acme.Issuing;

/// <summary>
/// One authority as one account of ours sees it, shared by the certificates that use both. The account is made for the first order, and kept.
/// Thread-safe.
/// </summary>
/// <param name="config">Of any of those certificates: what concerns the account is the same in all.</param>
/// <param name="storage">Keeps the account.</param>
/// <param name="http">Owned from now on.</param>
/// <param name="logger">Is told of a new account.</param>
internal sealed partial class AcmeAuthority(AcmeConfig config, AcmeStorage storage, AcmeHttp http, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private AcmeClient? _client;
    private string? _account;

    private string? KeyId => config.ExternalAccount?.KeyId;

    private Uri DirectoryUrl { get; } = new(config.Directory);

    /// <summary>RFC 8555 §8.1. After <see cref="SignInAsync"/>.</summary>
    public string Authorize(string token) => _client!.Key.Authorize(token);

    /// <summary>Anew for each order: what an authority offers may change.</summary>
    public Task<AcmeResult<DirectoryDocument>> GetDirectoryAsync(CancellationToken cancellation)
    {
        var client = Client();
        client.ForgetDirectory();
        return client.GetDirectoryAsync(cancellation);
    }

    /// <summary>Makes sure that there is an account.</summary>
    public async Task<AcmeFailure?> SignInAsync(CancellationToken cancellation)
    {
        await _gate.WaitAsync(cancellation);
        try
        {
            return _account is not null ? null : await FindOrCreateAsync(Client(), cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Without an account.</summary>
    public Task<AcmeResult<AcmeResponse>> GetAsync(Uri url, CancellationToken cancellation) => Client().GetAsync(url, cancellation);

    /// <summary>With the account. After <see cref="SignInAsync"/>.</summary>
    public async Task<AcmeResult<AcmeResponse>> PostAsync(Uri url, byte[] payload, CancellationToken cancellation)
    {
        var result = await _client!.PostAsync(url, _account, payload, cancellation);
        if (result.Failure?.Type == ProblemDocument.AccountDoesNotExist)
        {
            // The next order makes it again, with the same key.
            _account = null;
            Save(url: null);
        }

        return result;
    }

    public void Dispose()
    {
        if (_client is { } client)
        {
            client.Dispose();
        }
        else
        {
            http.Dispose();
        }
    }

    private AcmeClient Client()
    {
        if (Volatile.Read(ref _client) is { } client)
        {
            return client;
        }

        var key = storage.ReadAccount(config.Directory, KeyId)?.Key is { } pem ? AccountKey.FromPem(pem) : null;
        var made = new AcmeClient(http, DirectoryUrl, key ?? AccountKey.Create());
        return Interlocked.CompareExchange(ref _client, made, null) ?? made;
    }

    private async Task<AcmeFailure?> FindOrCreateAsync(AcmeClient client, CancellationToken cancellation)
    {
        var stored = storage.ReadAccount(config.Directory, KeyId);
        if (stored is { Url: { } known } && stored.Key == client.Key.ToPem() && stored.Email == config.Email)
        {
            _account = known;
            return null;
        }

        // Kept before the authority has seen it: a key that is lost is an account that is lost.
        Save(stored?.Url);
        if (!(await client.GetDirectoryAsync(cancellation)).IsOk(out var directory, out var failure)
            || !AcmeHttp.ParseUrl(directory.NewAccount, "accounts").IsOk(out var url, out failure))
        {
            return failure;
        }

        if (directory.Meta is { TermsOfService: { } terms } && !config.AgreeToTermsOfService)
        {
            return new AcmeFailure($"the authority has terms of service ({ErrorText.Quote(terms)}), and AgreeToTermsOfService is false");
        }

        if (directory.Meta is { ExternalAccountRequired: true } && config.ExternalAccount is null)
        {
            return new AcmeFailure("the authority wants an account that it knows already; set ExternalAccount");
        }

        // For a key that has an account this finds it; contacts are then told by a request of their own.
        if (!(await client.PostAsync(url, account: null, Registration(client.Key, url), cancellation)).IsOk(out var response, out failure))
        {
            return failure;
        }

        if (response.Location is null)
        {
            return new AcmeFailure($"{url}: the answer does not say where the account is");
        }

        if (stored?.Url is not null && stored.Email != config.Email)
        {
            await client.PostAsync(response.Location, response.Location.AbsoluteUri, SignedMessage.Json(WriteContact), cancellation);
        }

        Save(_account = response.Location.AbsoluteUri);
        LogAccount(logger, config.Directory, directory.Meta?.TermsOfService is { } agreed ? ErrorText.Quote(agreed) : "none");
        return null;
    }

    private byte[] Registration(AccountKey key, Uri url) => SignedMessage.Json(writer =>
    {
        writer.WriteBoolean("termsOfServiceAgreed", config.AgreeToTermsOfService);
        WriteContact(writer);
        if (config.ExternalAccount is { } external)
        {
            writer.WritePropertyName("externalAccountBinding");
            writer.WriteRawValue(SignedMessage.Bind(key, external.KeyId, Base64Url.DecodeFromChars(external.HmacKey), url));
        }
    });

    private void WriteContact(System.Text.Json.Utf8JsonWriter writer)
    {
        writer.WriteStartArray("contact");
        if (config.Email is { } email)
        {
            writer.WriteStringValue("mailto:" + email);
        }

        writer.WriteEndArray();
    }

    private void Save(string? url)
        => storage.WriteAccount(new StoredAccount { Directory = config.Directory, Url = url, Email = config.Email, Key = _client!.Key.ToPem() }, KeyId);

    [LoggerMessage(EventIds.AcmeAccountCreated, LogLevel.Information, "ACME: there is an account at {Directory}; terms of service that it agrees to: {Terms}")]
    private static partial void LogAccount(ILogger logger, string directory, string terms);
}
