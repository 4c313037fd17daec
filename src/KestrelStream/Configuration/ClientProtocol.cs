namespace KestrelStream.Configuration;

/// <summary>What a client is found to speak by its first bytes.</summary>
public enum ClientProtocol
{
    /// <summary>A well-formed TLS ClientHello.</summary>
    Tls,

    /// <summary>Nothing was said within <see cref="ListenerConfig.ServerFirstAfter"/>: the server is to speak first.</summary>
    ServerFirst,
}
