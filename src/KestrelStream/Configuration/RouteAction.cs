namespace KestrelStream.Configuration;

/// <summary>What a route does with a session.</summary>
public enum RouteAction
{
    /// <summary>Dial a destination of the cluster and relay.</summary>
    Forward,

    /// <summary>Close it: TLS clients get the fatal alert <c>unrecognized_name</c>.</summary>
    Reject,
}
