namespace KestrelStream.Configuration;

/// <summary>What a listener makes of PROXY headers.</summary>
public enum ProxyProtocolMode
{
    /// <summary>Nothing: they are bytes like others.</summary>
    Off,

    /// <summary>A trusted peer may send one; what begins otherwise is passed on as it is.</summary>
    Optional,

    /// <summary>Every connection is a trusted peer's and begins with one.</summary>
    Required,
}
