using KestrelStream.Configuration;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>A configuration of the log, compiled. Immutable.</summary>
internal sealed class AccessLogPlan
{
    private AccessLogPlan(AccessLogConfig config, string path)
    {
        Config = config;
        Path = path;
        Template = config.Template is { } text ? AccessLogTemplate.Parse(text, out _) : null;
        Filter = new AccessLogFilter(config.If);
        Needs = Template?.Needs ?? SessionTraceNeeds.Times | SessionTraceNeeds.AlpnOffered
            | (config.Ja4 ? SessionTraceNeeds.Ja4 : SessionTraceNeeds.None)
            | (config.TcpInfo ? SessionTraceNeeds.TcpInfo : SessionTraceNeeds.None);
        if (config.Start || config.Interval is not null)
        {
            // Somewhere to keep what was written already.
            Needs |= SessionTraceNeeds.Times;
        }
    }

    public AccessLogConfig Config { get; }

    /// <summary>A full path, <c>-</c>, or the address of a syslog server.</summary>
    public string Path { get; }

    public AccessLogTemplate? Template { get; }

    public AccessLogFilter Filter { get; }

    /// <summary>What sessions are to keep.</summary>
    public SessionTraceNeeds Needs { get; }

    /// <param name="config">Valid.</param>
    /// <param name="basePath">Folder that a relative path starts from.</param>
    public static AccessLogPlan Create(AccessLogConfig config, string basePath)
        => new(config, config.Syslog is { } syslog ? syslog.Address : FullPath(config, basePath));

    /// <summary>Why a log cannot go to a path; null = it can. Nothing is opened or created.</summary>
    /// <param name="config">A config with a path, or a syslog server.</param>
    /// <param name="basePath">Folder that a relative path starts from.</param>
    public static string? WhyNotWritable(AccessLogConfig config, string basePath)
        => config.Syslog is not null ? null
            : config.Path.Length == 0 || config.Path.Contains('\0') ? "it is not the path of a file"
            : AccessLogPath.WhyNotWritable(FullPath(config, basePath));

    public AccessLogTarget CreateTarget(TimeProvider time)
        => Config.Syslog is { } syslog ? new SyslogTarget(syslog, time)
            : Path == AccessLogTarget.StandardOutput ? new StandardOutputTarget()
            : new FileTarget(Path, Config.Rotate, time);

    private static string FullPath(AccessLogConfig config, string basePath)
        => config.Path == AccessLogTarget.StandardOutput ? config.Path : System.IO.Path.GetFullPath(config.Path, System.IO.Path.GetFullPath(basePath));
}
