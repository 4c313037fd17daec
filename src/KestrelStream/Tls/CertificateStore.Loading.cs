using System.Collections.Concurrent;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>What becomes of files: of those in a folder, of what ACME keeps. Changes nothing that runs.</summary>
internal sealed partial class CertificateStore
{
    /// <summary>Null = the folder cannot be read. A pair that is no good does not keep the others from being served.</summary>
    private static CertificateState? LoadFolder(
        string id, CertificateConfig config, string basePath, DateTimeOffset now, List<CertificateError> errors, List<CertificateError> warnings)
    {
        var folder = new CertificateFolder(Path.GetFullPath(config.Directory!, basePath));
        if (!folder.TryScan(out var pairs, out var whyNot))
        {
            errors.Add(new CertificateError(id, nameof(config.Directory), whyNot));
            return null;
        }

        var results = LoadAll(id, config, pairs.ConvertAll(pair => pair.Paths), now);
        var slots = new CertificateSlot[pairs.Count];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = new CertificateSlot(pairs[i].Paths, results[i].Entry);
            warnings.AddRange(results[i].Warnings);
            if (results[i].Error is { } error)
            {
                slots[i].Refuse(results[i].Files, error, now + RetryAfter);
                warnings.AddRange(error.IsHalf ? [] : [error]);
            }
        }

        return new CertificateState(id, config, basePath, folder, slots, now);
    }

    /// <summary>What ACME has got before; there may be nothing yet, or nothing good.</summary>
    private static CertificateState LoadAwaited(string id, CertificateConfig config, string basePath, DateTimeOffset now, List<CertificateError> warnings)
    {
        var paths = CertificatePaths.Of(id, config, basePath);
        var result = LoadAll(id, config, [paths], now)[0];
        var slot = new CertificateSlot(paths, result.Entry);
        warnings.AddRange(result.Warnings);
        if (result.Error is { } error && result.Files.Certificate.IsThere)
        {
            slot.Refuse(result.Files, error, now + RetryAfter);
            warnings.Add(error);
        }

        var acme = config.Acme!;
        return new CertificateState(id, config, basePath, folder: null, [slot], now)
        {
            StandIn = result.Entry is null && acme.UntilIssued == AcmeUntilIssued.SelfSigned ? StandInCertificate.Create(id, acme, now) : null,
        };
    }

    /// <summary>In the order of the paths. What is wrong with files that the configuration does not name by themselves is said of the key that led to them.</summary>
    private static CertificateLoadResult[] LoadAll(string id, CertificateConfig config, List<CertificatePaths> paths, DateTimeOffset now)
    {
        var results = new CertificateLoadResult[paths.Count];
        var folders = new ConcurrentDictionary<string, bool>();
        Parallel.For(0, results.Length, i =>
        {
            var result = CertificateLoader.Load(id, config, paths[i], now, folders);
            results[i] = config.Path.Length > 0 || (result.Error is null && result.Warnings.Count == 0) ? result : result with
            {
                Error = result.Error is null ? null : OfKey(result.Error),
                Warnings = [.. result.Warnings.Select(OfKey)],
            };
        });
        return results;

        // A folder may hold half a pair; what ACME keeps is in one file.
        CertificateError OfKey(CertificateError error)
            => error.Key == nameof(CertificateConfig.Password) ? error : error with { Key = CertificateState.KeyOf(config), IsHalf = error.IsHalf && config.Acme is null };
    }
}
