using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Issuing;
using KestrelStream.Acme.Protocol;
using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;
using KestrelStream.Tls;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Acme;

/// <summary>
/// All certificates that are got by ACME: one <see cref="CertificateKeeper"/> for each of the configuration in force. One for the process. Configurations
/// come one at a time; the state may be read from any thread.
/// </summary>
internal sealed class AcmeSource(
    TlsAlpnResponder tlsAlpn, HttpResponder http, HttpChallengeServer server, CertificateStore store, AcmeTimings timings, TimeProvider time, ILogger<AcmeSource> logger)
    : ICertificateSource, IHostedLifecycleService
{
    /// <summary>Everything that is awaited is given up at a stop; bounded all the same, so that a defect cannot hold the process.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly NameTurns _turns = new();
    private readonly Lock _gate = new();
    private volatile IReadOnlyDictionary<string, CertificateKeeper> _keepers = ConfigMap.Empty<CertificateKeeper>();
    private Dictionary<AuthorityKey, AcmeAuthority> _authorities = [];
    private string _basePath = "";
    private Task _stopping = Task.CompletedTask;
    private bool _isStopped;

    public IReadOnlyList<CertificateIssuance> Issuances => [.. _keepers.Values.Select(keeper => keeper.Issuance).OrderBy(issuance => issuance.Id, StringComparer.OrdinalIgnoreCase)];

    public IEnumerable<ConfigError> Check(StreamProxyConfig config, string basePath)
    {
        foreach (var (id, acme) in AcmeOf(config))
        {
            var path = $"StreamProxy:Certificates:{id}:Acme";
            if (acme.TrustedCertificates is { Length: > 0 } file && LoadRoots(Path.GetFullPath(file, basePath)).Problem is { } problem)
            {
                yield return new ConfigError($"{path}:TrustedCertificates", $"{ErrorText.Quote(file)}: {problem}; valid: a PEM file of certificates");
            }

            if (acme.Storage.Length > 0 && File.Exists(Path.GetFullPath(acme.Storage, basePath)))
            {
                yield return new ConfigError($"{path}:Storage", $"{ErrorText.Quote(acme.Storage)} is a file; valid: a folder, which need not exist");
            }
        }
    }

    public void Apply(StreamProxyConfig config, string basePath)
    {
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            server.Apply(config.HttpChallenge);
            var keepers = ConfigMap.Create<CertificateKeeper>();
            var authorities = new Dictionary<AuthorityKey, AcmeAuthority>();
            var stopping = new List<Task> { _stopping };
            foreach (var (id, acme) in AcmeOf(config))
            {
                var authority = AuthorityOf(acme, basePath, authorities);
                if (_keepers.TryGetValue(id, out var running) && running.Config == acme && running.Authority == authority && _basePath == basePath)
                {
                    keepers.Add(id, running);
                    continue;
                }

                var keeper = new CertificateKeeper(
                    id, acme, authority, new AcmeStorage(Path.GetFullPath(acme.Storage, basePath)), acme.Challenge == AcmeChallenge.Http01 ? http : tlsAlpn, _turns, timings, store.TakeReplaced, time, logger);
                keepers.Add(id, keeper);
            }

            foreach (var keeper in _keepers.Values.Where(keeper => keepers.GetValueOrDefault(keeper.Id) != keeper))
            {
                stopping.Add(keeper.DisposeAsync().AsTask());
            }

            // What has been replaced lets go of its files, and of its authority, first.
            _stopping = EndAsync(stopping, [.. _authorities.Values.Except(authorities.Values)]);
            foreach (var keeper in keepers.Values.Where(keeper => _keepers.GetValueOrDefault(keeper.Id) != keeper))
            {
                keeper.Start(_stopping);
            }

            (_keepers, _authorities, _basePath) = (keepers, authorities, basePath);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Before the drain, which may take long: no order is begun that could not be ended.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Task[] ends;
        lock (_gate)
        {
            _isStopped = true;
            ends = [EndAsync([_stopping, .. _keepers.Values.Select(keeper => keeper.DisposeAsync().AsTask())], [.. _authorities.Values]), server.DisposeAsync().AsTask()];
        }

        await Task.WhenAny(Task.WhenAll(ends), Task.Delay(StopTimeout, CancellationToken.None));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static IEnumerable<(string Id, AcmeConfig Acme)> AcmeOf(StreamProxyConfig config)
        => config.Certificates.Where(pair => pair.Value.Acme is not null).Select(pair => (pair.Key, pair.Value.Acme!));

    private static async Task EndAsync(IReadOnlyList<Task> keepers, AcmeAuthority[] authorities)
    {
        await Task.WhenAll(keepers);
        foreach (var authority in authorities)
        {
            authority.Dispose();
        }
    }

    private AcmeAuthority AuthorityOf(AcmeConfig acme, string basePath, Dictionary<AuthorityKey, AcmeAuthority> authorities)
    {
        var storage = Path.GetFullPath(acme.Storage, basePath);
        var roots = acme.TrustedCertificates is { } file ? LoadRoots(Path.GetFullPath(file, basePath)).Roots : null;
        var key = new AuthorityKey(
            acme.Directory, storage, acme.Email, acme.AgreeToTermsOfService, acme.ExternalAccount, roots is null ? null : string.Join(' ', roots.Select(root => root.Thumbprint)));
        if (!authorities.TryGetValue(key, out var authority))
        {
            authority = _authorities.GetValueOrDefault(key) ?? new AcmeAuthority(acme, new AcmeStorage(storage), new AcmeHttp(roots, time), logger);
            authorities.Add(key, authority);
        }

        return authority;
    }

    private static (X509Certificate2Collection Roots, string? Problem) LoadRoots(string path)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(path);
            return (roots, roots.Count == 0 ? "it has no certificate" : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return (roots, e.Message);
        }
    }

    /// <summary>What makes two certificates use one account over one client.</summary>
    private sealed record AuthorityKey(string Directory, string Storage, string? Email, bool AgreeToTermsOfService, AcmeExternalAccountConfig? ExternalAccount, string? Roots);
}
