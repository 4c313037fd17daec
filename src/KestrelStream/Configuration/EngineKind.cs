namespace KestrelStream.Configuration;

/// <summary>What carries the bytes of sessions.</summary>
public enum EngineKind
{
    /// <summary>The fastest engine that this machine can run: EventLoop on Linux, Sockets elsewhere.</summary>
    Auto,

    /// <summary>The portable engine over <see cref="System.Net.Sockets.Socket"/>; every operating system.</summary>
    Sockets,

    /// <summary>One epoll loop a core; Linux on x64 and arm64 only.</summary>
    EventLoop,
}
