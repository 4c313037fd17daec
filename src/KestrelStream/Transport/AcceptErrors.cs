using System.Net.Sockets;

namespace KestrelStream.Transport;

/// <summary>Counts why connections could not be accepted. One a listener; thread-safe.</summary>
internal sealed class AcceptErrors
{
    private static readonly string[] s_names = ["reserve", "descriptors", "memory", "connection", "other"];
    private readonly long[] _counts = new long[s_names.Length];

    /// <summary>Label values, in the order of <see cref="CountOf"/>. Public surface.</summary>
    public static IReadOnlyList<string> Names => s_names;

    public long CountOf(int name) => Volatile.Read(ref _counts[name]);

    /// <summary>The process's own reserve of descriptors was reached.</summary>
    public void AddReserve() => Interlocked.Increment(ref _counts[0]);

    public void Add(SocketError error) => Interlocked.Increment(ref _counts[error switch
    {
        SocketError.TooManyOpenSockets => 1,
        SocketError.NoBufferSpaceAvailable or SocketError.SystemNotReady => 2,
        SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.NetworkDown or SocketError.NetworkUnreachable
            or SocketError.HostDown or SocketError.HostUnreachable or SocketError.ProtocolOption or SocketError.OperationNotSupported or SocketError.TimedOut => 3,
        _ => 4,
    }]);
}
