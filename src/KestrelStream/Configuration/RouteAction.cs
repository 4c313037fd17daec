namespace KestrelStream.Configuration;

/// <summary>What a route does with a session.</summary>
public enum RouteAction
{
    /// <summary>Dial a destination of the cluster and relay.</summary>
    Forward,

    /// <summary>Hand it over to the HTTP pipeline of the app that hosts the proxy, in this process: HTTP/1.1, HTTP/2, WebSockets. With TLS that ends here, or in the clear.</summary>
    Http,

    /// <summary>Close it: TLS clients get the fatal alert <c>unrecognized_name</c>.</summary>
    Reject,
}
