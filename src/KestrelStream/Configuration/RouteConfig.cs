namespace KestrelStream.Configuration;

/// <summary>Which sessions it takes, what is done with their TLS, and where they go.</summary>
public sealed record RouteConfig
{
    /// <summary>Listeners the route belongs to, by id; null = every listener.</summary>
    public IReadOnlyList<string>? Listeners { get; init; }

    /// <summary>Conditions; all given ones must hold. None given = takes what no other route takes.</summary>
    public RouteMatch Match { get; init; } = new();

    /// <summary>What is done with the client's TLS; null = the bytes are passed through untouched.</summary>
    public RouteTlsConfig? Tls { get; init; }

    /// <summary>
    /// Takes only clients of this protocol that ask for TLS, by the name in the ClientHello that follows. null = clients that begin with TLS, or never ask.
    /// </summary>
    public StartTlsProtocol? StartTls { get; init; }

    /// <summary>Where sessions go; required when <see cref="Action"/> is <see cref="RouteAction.Forward"/>.</summary>
    public string? ClusterId { get; init; }

    /// <summary>What is done with a session. Default <see cref="RouteAction.Forward"/>.</summary>
    public RouteAction Action { get; init; } = RouteAction.Forward;

    /// <summary>Decides among routes that are otherwise equal: the lower one wins, then the id. Default 0.</summary>
    public int Order { get; init; }

    /// <summary>No byte either way for so long ends the session with <see cref="Sessions.SessionEndReason.IdleTimeout"/>. Default 10 min (nginx's proxy_timeout). <see cref="Timeout.InfiniteTimeSpan"/> = never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>After one side has ended its sending, the other may go on for so long without a byte. Default 1 min. Beyond it: <see cref="Sessions.SessionEndReason.HalfCloseTimeout"/>. <see cref="Timeout.InfiniteTimeSpan"/> = never.</summary>
    public TimeSpan HalfCloseTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest session from accept; null = unlimited. Beyond it: <see cref="Sessions.SessionEndReason.LifetimeExceeded"/>.</summary>
    public TimeSpan? MaxSessionLifetime { get; init; }

    /// <summary>
    /// Networks whose clients may come to the route, as <c>10.0.0.0/8</c>, an address, or <c>unix:</c>; with any here or in <see cref="AllowFile"/> nobody else may. Where networks of both lists
    /// hold a client, the smaller one decides. Beyond them: <see cref="Sessions.SessionEndReason.AccessDenied"/>.
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Networks whose clients may not come.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];

    /// <summary>A file with more of <see cref="Allow"/>, one a line. It is watched.</summary>
    public string? AllowFile { get; init; }

    /// <summary>A file with more of <see cref="Deny"/>, one a line. It is watched.</summary>
    public string? DenyFile { get; init; }

    /// <summary>What a client meets that may not come. Default <see cref="RefusalAction.Refuse"/>.</summary>
    public RefusalAction DenyAction { get; init; }

    /// <summary>How much clients may take; null = no limits.</summary>
    public LimitsConfig? Limits { get; init; }
}
