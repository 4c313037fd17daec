using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Configuration.Sources;
using KestrelStream.Server.Demo;
using KestrelStream.Tls;
using Microsoft.Extensions.Configuration;
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
    private readonly MemoryReturn _memory;
    private CancellationTokenSource _changed = new();
    private ITimer? _timer;
    private FileFingerprint _seen;
    private FileFingerprint _pending;

    // Start asks several times; a large file takes a while to read. Let go when start is over.
    private Reading? _atStart;

    public ConfigFile(FileInfo file, TimeProvider time)
    {
        _file = file;
        _time = time;
        _memory = new MemoryReturn(time);
        BasePath = file.DirectoryName!;

        // Before the first read, so that no change after it is missed.
        _seen = _pending = FileFingerprint.Read(file.FullName);
        _atStart = Read();
        Demo = DemoOptions.From(new ConfigurationBuilder().AddInMemoryCollection(ReadHostSettings()).Build());
    }

    public string BasePath { get; }

    /// <summary>The backends that a first run starts; null in a production file.</summary>
    public DemoOptions? Demo { get; }

    public string FullName => _file.FullName;

    public ConfigResult GetConfig()
    {
        if (_atStart is { } reading)
        {
            return reading.Result ??= ToResult(reading);
        }

        return _memory.AfterReading(() => ToResult(Read()));
    }

    /// <summary>Everything beside the section <c>StreamProxy</c>, as start has read it; empty when the file cannot be read: <see cref="GetConfig"/> says why.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ReadHostSettings()
        => (_atStart ?? Read()).Root.Children.ToArray()
            .Where(section => !section.Key.Equals(Section, StringComparison.OrdinalIgnoreCase))
            .SelectMany(section => section.Flatten());

    public IChangeToken GetReloadToken() => new CancellationChangeToken(_changed.Token);

    /// <summary>Start is over: from now on every <see cref="GetConfig"/> reads anew, and a change of the file since the first look is told.</summary>
    public void StartWatching()
    {
        _atStart = null;
        _timer = _time.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _memory.Dispose();
    }

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

    private ConfigResult ToResult(Reading reading)
    {
        if (reading.Error is { } error)
        {
            return new ConfigResult(new StreamProxyConfig(), [error]);
        }

        return reading.Root.Find(Section) is { Exists: true } section
            ? WithAdminAddress(ConfigurationReader.Read(section, Section))
            : new ConfigResult(new StreamProxyConfig(), [new ConfigError(Section, $"{_file.FullName} has no section of this name")]);
    }

    /// <summary>An app that hosts the library may do without; what else is said of an admin port would be for nothing without one.</summary>
    private static ConfigResult WithAdminAddress(ConfigResult read)
    {
        const string Path = $"{Section}:Admin:Address";
        return read.Config.Admin is { Address: "" } admin && (admin.Token is not null || admin.RefusedBytes > 0) && !read.Errors.Any(error => error.Path == Path)
            ? read with { Errors = [.. read.Errors, new ConfigError(Path, "is missing or empty; valid: ip:port, [v6]:port, *:port, localhost:port, unix:/path")] }
            : read;
    }

    private Reading Read()
    {
        try
        {
            // Its writer is not to be kept out.
            using var stream = new FileStream(_file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var environment = new ConfigurationBuilder().AddEnvironmentVariables().Build();
            return new Reading(JsonTreeReader.Read(stream).With(SectionConfigNode.OfRoot(environment)), null);
        }
        catch (Exception e) when (e is JsonException or FormatException or IOException or UnauthorizedAccessException)
        {
            // The JSON reader's own message has line and position, or the duplicate key.
            return new Reading(new ConfigNode("", null, []), new ConfigError(Section, $"{_file.FullName} cannot be read: {e.Message}"));
        }
    }

    /// <summary>The file once: all of it, or why not.</summary>
    private sealed class Reading(ConfigNode root, ConfigError? error)
    {
        public ConfigNode Root { get; } = root;

        public ConfigError? Error { get; } = error;

        /// <summary>The section <c>StreamProxy</c>, once somebody has asked for it.</summary>
        public ConfigResult? Result { get; set; }
    }
}
