using System.Buffers.Binary;
using System.Diagnostics;
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
        long burst = BinaryPrimitives.ReadInt64BigEndian(request.AsSpan(sizeof(long)));
        if (burst > 0)
        {
            SendBursts(connection, bytes, burst);
        }
        else if (bytes >= 0)
        {
            Send(connection, 0, bytes);
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

    /// <summary>One burst an interval; late ones follow at once, so that the rate is kept.</summary>
    private static void SendBursts(Socket connection, long bytes, long burst)
    {
        long begin = Stopwatch.GetTimestamp();
        for (long sent = 0, number = 1; sent < bytes; sent += burst, number++)
        {
            Send(connection, sent, Math.Min(sent + burst, bytes));
            TimeSpan wait = TimeSpan.FromMilliseconds(number * Payload.BurstIntervalMilliseconds) - Stopwatch.GetElapsedTime(begin);
            if (wait > TimeSpan.Zero)
            {
                Thread.Sleep(wait);
            }
        }
    }

    /// <summary>Sends the pattern between two positions of the stream.</summary>
    private static void Send(Socket connection, long sent, long end)
    {
        while (sent < end)
        {
            int from = (int)(sent & (Payload.BulkPatternBytes - 1));
            int length = (int)Math.Min(Payload.BulkPatternBytes - from, end - sent);
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
