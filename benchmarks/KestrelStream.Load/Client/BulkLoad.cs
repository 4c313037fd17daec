using System.Net;
using System.Net.Sockets;
using KestrelStream.Load.Backend;

namespace KestrelStream.Load.Client;

/// <summary>One transfer over one connection. Unit: one byte, so that nanoseconds per unit read as seconds per GB.</summary>
internal sealed class BulkLoad(IPEndPoint proxy, bool isUpload) : ILoad
{
    private const int TimeoutMilliseconds = 10_000;

    public void Prepare(LoadErrors errors)
    {
    }

    public void Run(long amount, LoadErrors errors)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            {
                ReceiveTimeout = TimeoutMilliseconds,
                SendTimeout = TimeoutMilliseconds,
            };
            socket.Connect(proxy);
            _ = socket.Send(Payload.BulkRequest(isUpload ? -amount : amount));
            string? fault = isUpload ? Upload(socket, amount) : Download(socket, amount);
            if (fault is not null)
            {
                errors.Add(fault);
            }
        }
        catch (SocketException error)
        {
            errors.Add($"bulk: {error.SocketErrorCode}");
        }
    }

    public void Dispose()
    {
    }

    private static string? Download(Socket socket, long amount)
    {
        byte[] buffer = new byte[Payload.BulkPatternBytes];
        long position = 0;
        while (position < amount)
        {
            int received = socket.Receive(buffer);
            if (received == 0)
            {
                return $"closed after {position} of {amount} bytes";
            }

            if (!Payload.IsPatternAt(position, buffer.AsSpan(0, received)))
            {
                return $"wrong bytes near position {position}";
            }

            position += received;
        }

        return position == amount ? null : $"{position} bytes instead of {amount}";
    }

    private static string? Upload(Socket socket, long amount)
    {
        long sent = 0;
        while (sent < amount)
        {
            int from = (int)(sent & (Payload.BulkPatternBytes - 1));
            int length = (int)Math.Min(Payload.BulkPatternBytes - from, amount - sent);
            sent += socket.Send(Payload.BulkPattern.AsSpan(from, length));
        }

        byte[] acknowledgement = new byte[Payload.MessageBytes];
        return socket.Receive(acknowledgement) > 0 ? null : "closed before the upload was acknowledged";
    }
}
