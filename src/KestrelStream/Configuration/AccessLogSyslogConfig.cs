namespace KestrelStream.Configuration;

/// <summary>A syslog server that gets each record as one message of RFC 5424.</summary>
public sealed record AccessLogSyslogConfig
{
    /// <summary><c>udp:host:port</c>, or <c>unix:/path</c> of a datagram socket, as <c>unix:/dev/log</c>. Required.</summary>
    public string Address { get; init; } = "";

    /// <summary>Number of the facility (RFC 5424 §6.2.1), 0 to 23. Default 16, local0.</summary>
    public int Facility { get; init; } = 16;

    /// <summary>Number of the severity, 0 to 7. Default 6, informational.</summary>
    public int Severity { get; init; } = 6;

    /// <summary>Name of the program in each message. Default <c>kestrelstream</c>.</summary>
    public string Tag { get; init; } = "kestrelstream";
}
