using System.Net;
using System.Net.Sockets;

namespace KestrelStream.TestKit.Peers;

/// <summary>Ports for programs that cannot take a free one and say which. Thread-safe.</summary>
/// <remarks>
/// They come from below the range that the kernel takes source ports from (ip_local_port_range, 32768 and up), so that between this check
/// and the program's bind no outgoing connection takes one. Another program still may: who starts a server tries again.
/// </remarks>
public static class LoopbackPort
{
    private const int Lowest = 12000;
    private const int Highest = 32000;

    private static readonly HashSet<int> s_taken = [];

    /// <summary>A port of 127.0.0.1 that nobody listens on and that no one else in this process was given.</summary>
    public static int Take()
    {
        while (true)
        {
            var port = Random.Shared.Next(Lowest, Highest);
            lock (s_taken)
            {
                if (!s_taken.Add(port))
                {
                    continue;
                }
            }

            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // In use; try another.
            }
        }
    }

    /// <summary>The same as an end point.</summary>
    public static IPEndPoint TakeEndPoint() => new(IPAddress.Loopback, Take());

    /// <summary>Waits until someone accepts on it.</summary>
    /// <returns>False when <paramref name="isGone"/> said so first, i.e. the program that was to listen has ended.</returns>
    /// <exception cref="TimeoutException">Nobody did within 30 seconds.</exception>
    public static async Task<bool> WaitUntilOpenAsync(IPEndPoint endPoint, Func<bool> isGone)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isGone())
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(endPoint, timeout.Token);
                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(20, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"Nobody listens on {endPoint}");
            }
        }

        return false;
    }
}
