using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace KestrelStream.Server.Hosting;

/// <summary>sd_notify(3) for <c>Type=notify-reload</c>: one datagram to the socket that systemd names. Does nothing elsewhere. Thread-safe.</summary>
internal sealed class SystemdNotifier(string? socketPath)
{
    public static SystemdNotifier FromEnvironment() => new(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    public void Ready() => Send("READY=1");

    /// <summary>systemd waits for the next READY=1 that is younger than this moment of CLOCK_MONOTONIC.</summary>
    public void Reloading() => Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000)}"));

    public void Stopping() => Send("STOPPING=1");

    private void Send(string message)
    {
        if (string.IsNullOrEmpty(socketPath))
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            // "@name" is a name in the abstract namespace, which starts with a zero byte.
            socket.Connect(new UnixDomainSocketEndPoint(socketPath[0] == '@' ? "\0" + socketPath[1..] : socketPath));
            socket.Send(Encoding.UTF8.GetBytes(message));
        }
        catch (SocketException)
        {
            // The service manager is gone; the proxy goes on.
        }
    }
}
