using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// A certificate of the configuration, from files or from ACME, or a folder of them, over the changes of its files and over the reloads that leave its config alone.
/// Reading is thread-safe.
/// </summary>
internal sealed class CertificateState
{
    /// <summary>Of what others renew: see <see cref="Soon"/>.</summary>
    public static readonly TimeSpan UsualSoon = TimeSpan.FromDays(14);

    private volatile CertificateEntry[] _entries;
    private volatile RefusedCertificate[] _refused = [];
    private long _taken;
    private long _refusals;

    /// <summary>One pair of files.</summary>
    public CertificateState(string id, CertificateConfig config, string basePath, CertificateEntry entry, DateTimeOffset now)
        : this(id, config, basePath, folder: null, [new CertificateSlot(CertificatePaths.Of(id, config, basePath), entry)], now)
    {
    }

    /// <summary>A folder; or with one slot, which may be empty, what ACME gets.</summary>
    public CertificateState(string id, CertificateConfig config, string basePath, CertificateFolder? folder, IEnumerable<CertificateSlot> slots, DateTimeOffset now)
    {
        Id = id;
        Config = config;
        BasePath = basePath;
        Folder = folder;
        Slots = slots.ToDictionary(slot => slot.Paths.Path);
        _entries = [];
        Publish(now);
    }

    public string Id { get; }

    public CertificateConfig Config { get; }

    /// <summary>What relative paths in <see cref="Config"/> are relative to.</summary>
    public string BasePath { get; }

    /// <summary>Null = one pair of files.</summary>
    public CertificateFolder? Folder { get; }

    /// <summary>Which key of the configuration says where its files are.</summary>
    public string ConfigKey => KeyOf(Config);

    /// <summary>Shown as long as ACME has got none; null = clients are refused then, or it comes from elsewhere.</summary>
    public CertificateEntry? StandIn { get; init; }

    /// <summary>ACME has not got it yet.</summary>
    public bool IsAwaited => Config.Acme is not null && _entries.Length == 0;

    /// <summary>By the path of the certificate. The store's watch alone reads and changes them.</summary>
    public Dictionary<string, CertificateSlot> Slots { get; }

    /// <summary>What new handshakes use, the better first: see <see cref="CertificateOrder"/>. Of a pair of files always one; never a stand-in.</summary>
    public IReadOnlyList<CertificateEntry> Entries => _entries;

    /// <summary>Files that are not served, with the reason.</summary>
    public IReadOnlyList<RefusedCertificate> Refused => _refused;

    /// <summary>The folder cannot be read now; null = it can, or there is none.</summary>
    public string? WhyUnreadable { get; set; }

    /// <summary>When the first of those that are not valid yet will be; null = all are.</summary>
    public DateTimeOffset? NextValid { get; private set; }

    /// <summary>When the first of its certificates ends; null = there is none.</summary>
    public DateTimeOffset? FirstToEnd => _entries is { Length: > 0 } entries ? entries.Min(entry => entry.NotAfter) : null;

    /// <summary>
    /// How long before its end a certificate is worth a warning: whoever renews has done so long before. One by ACME may live for days or hours, and is renewed when
    /// a third of them is left; half of that is soon then.
    /// </summary>
    public TimeSpan Soon
        => Config.Acme is { } acme && _entries is [var entry] && (acme.RenewBefore ?? ((entry.NotAfter - entry.NotBefore) / 3)) / 2 is var half && half < UsualSoon ? half : UsualSoon;

    /// <summary>How often new files have been taken, and how often they have not.</summary>
    public (long Taken, long Refused) Changes => (Interlocked.Read(ref _taken), Interlocked.Read(ref _refusals));

    public static string KeyOf(CertificateConfig config)
        => config.Acme is not null ? $"{nameof(config.Acme)}:{nameof(AcmeConfig.Storage)}" : config.Directory is not null ? nameof(config.Directory) : nameof(config.Path);

    /// <summary>Whether it will be for a name.</summary>
    public bool Awaits(string name) => IsAwaited && Config.Acme!.Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    public void CountTaken() => Interlocked.Increment(ref _taken);

    public void CountRefused() => Interlocked.Increment(ref _refusals);

    /// <summary>Shows to handshakes and readers what the slots hold now.</summary>
    public void Publish(DateTimeOffset now)
    {
        CertificateEntry[] entries = [.. Slots.Values.Where(slot => slot.Entry is not null).Select(slot => slot.Entry!)];
        Array.Sort(entries, new CertificateOrder(now));
        _entries = entries;
        NextValid = entries.Where(entry => entry.NotBefore > now).Select(entry => (DateTimeOffset?)entry.NotBefore).Min();
        PublishRefused();
    }

    /// <summary>Shows to readers alone what has become of files that are not served.</summary>
    public void PublishRefused() => _refused = [.. Slots.Values.Where(slot => slot.IsRefused).Select(slot => new RefusedCertificate(slot.Paths.Path, slot.Reason!.Message, slot.Entry is not null))];
}
