using System.Net.Sockets;
using System.Security.Cryptography;

namespace KestrelStream.TestKit;

/// <summary>What tests do with sockets.</summary>
public static class SocketExtensions
{
    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes).AsTask().WaitAsync(Wait.Limit)..];
        }
    }

    public static async Task<byte[]> ReceiveExactlyAsync(this Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var received = await socket.ReceiveAsync(bytes.AsMemory(got)).AsTask().WaitAsync(Wait.Limit);
            if (received == 0)
            {
                throw new EndOfStreamException($"{got} of {count} bytes");
            }

            got += received;
        }

        return bytes;
    }

    /// <summary>Everything up to FIN.</summary>
    public static async Task<byte[]> ReceiveToEndAsync(this Socket socket)
    {
        var all = new MemoryStream();
        var buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer).WaitAsync(Wait.Limit) is > 0 and var count)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    /// <summary>Everything up to FIN, without keeping it.</summary>
    public static async Task<(long Count, string Sha256)> HashToEndAsync(this Socket socket, Func<Task>? pause = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[65536];
        long total = 0;
        while (await socket.ReceiveAsync(buffer).WaitAsync(Wait.Limit) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            total += count;
            if (pause is not null)
            {
                await pause();
            }
        }

        return (total, Convert.ToHexString(hash.GetHashAndReset()));
    }

    /// <summary>Closes with RST.</summary>
    public static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    /// <summary>True when the next receive meets a reset, false when it meets FIN; bytes before either are dropped.</summary>
    public static async Task<bool> EndsWithResetAsync(this Socket socket)
    {
        var buffer = new byte[65536];
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(Wait.Limit) > 0)
            {
            }

            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            return true;
        }
    }
}
