using KestrelStream.Configuration;
using KestrelStream.Configuration.Sources;
using KestrelStream.Server.Demo;
using KestrelStream.Tls;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Primitives;

namespace KestrelStream.Server.Hosting;

/// <summary>
/// The one configuration file, with environment variables over it (<c>StreamProxy__ShutdownTimeout</c>). Read anew for every reload, so that a
/// broken file never disturbs what was read before. Watched by looking: symbolic links (Kubernetes' ConfigMaps) and network file systems
/// tell no one when they change. Thread-safe.
/// </summary>
internal sealed class ConfigFile : IStreamProxyConfigProvider, IDisposable
{
    private const string Section = "StreamProxy";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly FileInfo _file;
    private readonly TimeProvider _time;
    private CancellationTokenSource _changed = new();
    private ITimer? _timer;
    private FileFingerprint _seen;
    private FileFingerprint _pending;

    public ConfigFile(FileInfo file, TimeProvider time)
    {
        _file = file;
        _time = time;
        BasePath = file.DirectoryName!;

        // Before the first read, so that no change after it is missed.
        _seen = _pending = FileFingerprint.Read(file.FullName);
        Demo = DemoOptions.From(TryReadRoot(out _));
    }

    public string BasePath { get; }

    /// <summary>The backends that a first run starts; null in a production file.</summary>
    public DemoOptions? Demo { get; }

    public string FullName => _file.FullName;

    public ConfigResult GetConfig()
    {
        var root = TryReadRoot(out var error);
        if (error is not null)
        {
            return new ConfigResult(new StreamProxyConfig(), [error]);
        }

        if (!root.GetSection(Section).Exists())
        {
            return new ConfigResult(new StreamProxyConfig(), [new ConfigError(Section, $"{_file.FullName} has no section of this name")]);
        }

        return ConfigurationReader.Read(root.GetSection(Section));
    }

    /// <summary>The whole file, empty when it cannot be read: <see cref="GetConfig"/> says why.</summary>
    public IConfiguration ReadRoot() => TryReadRoot(out _);

    public IChangeToken GetReloadToken() => new CancellationChangeToken(_changed.Token);

    public void StartWatching()
    {
        _timer = _time.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        var now = FileFingerprint.Read(_file.FullName);
        if (now == _seen)
        {
            _pending = now;
            return;
        }

        // Half-written files change again: a change counts once it has stood still for one look. A missing file is being replaced.
        if (now != _pending || now.Length < 0)
        {
            _pending = now;
            return;
        }

        _seen = now;
        Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel();
    }

    private IConfigurationRoot TryReadRoot(out ConfigError? error)
    {
        try
        {
            error = null;
            using var provider = new PhysicalFileProvider(BasePath, ExclusionFilters.None);
            return new ConfigurationBuilder()
                .Add(new IndexedJsonConfigurationSource { FileProvider = provider, Path = _file.Name })
                .AddEnvironmentVariables()
                .Build();
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            // The JSON reader's own message has line and position, or the duplicate key.
            error = new ConfigError(Section, $"{_file.FullName} cannot be read: {(e.InnerException?.InnerException ?? e.InnerException ?? e).Message}");
            return new ConfigurationBuilder().Build();
        }
    }
}
