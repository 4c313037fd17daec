using System.Buffers.Binary;
using System.Net.Sockets;

namespace KestrelStream.Load.Backend;

/// <summary>The bulk port: one blocking thread a connection, as there are never more than a few.</summary>
internal static class BulkServer
{
    public static void Accept(Socket listener)
    {
        while (true)
        {
            Socket connection = listener.Accept();
            new Thread(() => Serve(connection)) { IsBackground = true, Name = "bulk" }.Start();
        }
    }

    private static void Serve(Socket connection)
    {
        using (connection)
        {
            try
            {
                Transfer(connection);
            }
            catch (SocketException)
            {
                // The generator sees the missing bytes and counts the error.
            }
        }
    }

    private static void Transfer(Socket connection)
    {
        byte[] request = new byte[Payload.BulkRequestBytes];
        int filled = 0;
        while (filled < request.Length)
        {
            int received = connection.Receive(request.AsSpan(filled));
            if (received == 0)
            {
                return;
            }

            filled += received;
        }

        long bytes = BinaryPrimitives.ReadInt64BigEndian(request);
        if (bytes >= 0)
        {
            SendAll(connection, bytes);
        }
        else
        {
            TakeAll(connection, -bytes);
        }

        // Wait for the other side to close first, as the small exchanges do.
        while (connection.Receive(request) > 0)
        {
        }
    }

    private static void SendAll(Socket connection, long bytes)
    {
        long sent = 0;
        while (sent < bytes)
        {
            int from = (int)(sent & (Payload.BulkPatternBytes - 1));
            int length = (int)Math.Min(Payload.BulkPatternBytes - from, bytes - sent);
            sent += connection.Send(Payload.BulkPattern.AsSpan(from, length));
        }
    }

    private static void TakeAll(Socket connection, long bytes)
    {
        byte[] buffer = new byte[Payload.BulkPatternBytes];
        long taken = 0;
        while (taken < bytes)
        {
            int received = connection.Receive(buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - taken)));
            if (received == 0)
            {
                return;
            }

            taken += received;
        }

        _ = connection.Send(Payload.Reply);
    }
}
