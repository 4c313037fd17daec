namespace KestrelStream.Routing;

/// <summary>Which condition of a route, besides the server name, a hello does not meet.</summary>
internal enum RouteRefusal
{
    /// <summary>It meets them all.</summary>
    None,

    /// <summary>The route does not take TLS.</summary>
    Protocol,

    /// <summary>The client comes from none of the route's networks.</summary>
    Client,

    /// <summary>The client offers none of the route's ALPN protocols.</summary>
    Alpn,
}
