namespace KestrelStream.Configuration;

/// <summary>Checks that the proxy makes by itself, whether there are sessions or not. A destination that is down by them gets none.</summary>
public sealed record ActiveHealthCheckConfig
{
    /// <summary>Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>What is asked. Default <see cref="HealthCheckKind.Tcp"/>.</summary>
    public HealthCheckKind Kind { get; init; }

    /// <summary>From one check of a destination to its next. Default 5 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same while it is down; null = <see cref="Interval"/>.</summary>
    public TimeSpan? IntervalWhenDown { get; init; }

    /// <summary>Percent by which each interval is longer or shorter at random, 0 to 50. Default 10.</summary>
    public int Jitter { get; init; } = 10;

    /// <summary>Longest check, connecting included. Default 2 s. Beyond it the check has failed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Good checks in a row that bring a destination back. Default 2.</summary>
    public int Rise { get; init; } = 2;

    /// <summary>Failed checks in a row that take it out. Default 3.</summary>
    public int Fall { get; init; } = 3;

    /// <summary>Before the first checks. Default <see cref="HealthCheckInitialState.Up"/>.</summary>
    public HealthCheckInitialState InitialState { get; init; }

    /// <summary>Checks every destination at this address instead of its own; null = its own. <see cref="DestinationConfig.Health"/> comes first.</summary>
    public string? Address { get; init; }

    /// <summary>Checks every destination at this port of its own host; null = its own port.</summary>
    public int? Port { get; init; }

    /// <summary>Tls, Https: the name to ask for and to verify; null = <see cref="DestinationConfig.Host"/>, else the host name of the address.</summary>
    public string? ServerName { get; init; }

    /// <summary>Tls, Https: whether a certificate that is not trusted, or of another name, fails the check. Default true.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Tls, Https: a PEM file of the authorities to trust; null = those of the operating system.</summary>
    public string? TrustedCertificates { get; init; }

    /// <summary>Http, Https: default GET.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Http, Https: path and query. Default <c>/</c>.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Http, Https: the Host header; null = <see cref="DestinationConfig.Host"/>, else <see cref="ServerName"/>, else the address.</summary>
    public string? Host { get; init; }

    /// <summary>Http, Https: status codes and ranges of them, with commas between. Default 200-399.</summary>
    public string ExpectStatus { get; init; } = "200-399";

    /// <summary>Http, Https: text that the body must have in its first 64 KiB; null = the body is not looked at.</summary>
    public string? ExpectBody { get; init; }

    /// <summary>SendExpect: the dialogue.</summary>
    public IReadOnlyList<HealthCheckStep> Steps { get; init; } = [];

    /// <summary>PostgreSql: the user to start as (null = postgres). MySql: the user who tries to log in (null = kestrelstream). Redis: the user of AUTH (null = the default one).</summary>
    public string? User { get; init; }

    /// <summary>PostgreSql: the database; null = the one named as the user.</summary>
    public string? Database { get; init; }

    /// <summary>Redis: sent by AUTH; null = no AUTH. Never logged.</summary>
    public string? Password { get; init; }
}
