namespace KestrelStream.Transport;

/// <summary>What has happened to a connection that waits for a session.</summary>
internal enum ParkedState
{
    /// <summary>Nothing: it can be used.</summary>
    Quiet,

    /// <summary>The peer has sent something.</summary>
    HasReceived,

    /// <summary>The peer has ended its sending or reset it, or it is closed.</summary>
    Ended,
}
