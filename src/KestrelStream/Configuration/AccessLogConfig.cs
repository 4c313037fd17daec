namespace KestrelStream.Configuration;

/// <summary>Where the records of sessions go, which ones, and what they say.</summary>
public sealed record AccessLogConfig
{
    /// <summary>A file, relative to the config file; <c>-</c> = standard output. Appended to, created when missing. Required, unless there is <see cref="Syslog"/>.</summary>
    public string Path { get; init; } = "";

    /// <summary>A syslog server instead of a file; null = none.</summary>
    public AccessLogSyslogConfig? Syslog { get; init; }

    /// <summary>How a record looks. Default <see cref="AccessLogFormat.Json"/>.</summary>
    public AccessLogFormat Format { get; init; } = AccessLogFormat.Json;

    /// <summary>A line of <see cref="AccessLogFormat.Text"/>: fields as <c>{client}</c> or by nginx's names, as <c>$remote_addr</c>. Null = <c>key=value</c> pairs.</summary>
    public string? Template { get; init; }

    /// <summary>A record too when a session is connected with its destination.</summary>
    public bool Start { get; init; }

    /// <summary>A record too each time a session has lasted so long again; null = none.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>The client's JA4 fingerprint is computed. A template that has it does without this.</summary>
    public bool Ja4 { get; init; }

    /// <summary>Round-trip times and retransmissions are asked of the kernel at the end (Linux). A template that has them does without this.</summary>
    public bool TcpInfo { get; init; }

    /// <summary>A record is written when one of these takes it. Empty = all are.</summary>
    public IReadOnlyList<AccessLogRuleConfig> If { get; init; } = [];

    /// <summary>When the file is set aside for a new one; null = never by itself.</summary>
    public AccessLogRotateConfig? Rotate { get; init; }
}
