using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>A certificate over the changes of its files and over the reloads that leave its config alone. Thread-safe.</summary>
internal sealed class CertificateState
{
    private volatile CertificateEntry _current;

    public CertificateState(string id, CertificateConfig config, string basePath, CertificateEntry entry)
    {
        Id = id;
        Config = config;
        BasePath = basePath;
        _current = entry;
    }

    public string Id { get; }

    public CertificateConfig Config { get; }

    /// <summary>What relative paths in <see cref="Config"/> are relative to.</summary>
    public string BasePath { get; }

    /// <summary>What new handshakes use. Set by <see cref="CertificateStore"/> alone.</summary>
    public CertificateEntry Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>The files as they are now; they may differ from those <see cref="Current"/> came from.</summary>
    public CertificateFiles ReadFiles()
    {
        var (path, keyPath) = CertificateLoader.ResolvePaths(Config, BasePath);
        return CertificateFiles.Read(path, keyPath);
    }
}
