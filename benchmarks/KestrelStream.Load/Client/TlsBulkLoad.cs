using System.Net;
using KestrelStream.Load.Backend;

namespace KestrelStream.Load.Client;

/// <summary>One download through a terminated listener. Unit: one byte of payload.</summary>
internal sealed unsafe class TlsBulkLoad(IPEndPoint proxy) : ILoad
{
    /// <summary>A TLS record holds at most 16 KiB, and SSL_read returns at most one.</summary>
    private const int BufferBytes = 16_384;

    private readonly TlsContext _context = new();

    public void Prepare(LoadErrors errors)
    {
    }

    public void Run(long amount, LoadErrors errors)
    {
        using TlsConnection? connection = TlsConnection.Open(_context, proxy, 0, session: 0, errors);
        if (connection is null)
        {
            return;
        }

        byte* buffer = stackalloc byte[BufferBytes];
        long position = 0;
        bool isAlive = connection.Send(Payload.BulkRequest(amount));
        while (isAlive && position < amount)
        {
            int received = connection.Receive(buffer, BufferBytes);
            isAlive = received > 0 && Payload.IsPatternAt(position, new ReadOnlySpan<byte>(buffer, received));
            position += Math.Max(0, received);
        }

        if (!isAlive || position != amount)
        {
            errors.Add($"TLS download broke near position {position} of {amount}");
        }
        else if (!connection.CloseCleanly(buffer))
        {
            errors.Add("the proxy did not close after close_notify");
        }
    }

    public void Dispose() => _context.Dispose();
}
