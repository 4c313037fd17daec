namespace KestrelStream.Configuration;

/// <summary>Who greets a client whose protocol lets the server speak first.</summary>
public enum StartTlsGreeting
{
    /// <summary>The proxy, with <see cref="ListenerStartTlsConfig.Name"/>. A destination is dialled once the server name is known.</summary>
    Proxy,

    /// <summary>The destination, whose greeting is passed on. It is dialled at once, so the routes must lead to one cluster.</summary>
    Destination,
}
