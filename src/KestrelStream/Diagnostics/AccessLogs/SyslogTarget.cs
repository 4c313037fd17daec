using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>A syslog server: one datagram a line, as RFC 5424 and RFC 5426 (UDP) say; <c>unix:/dev/log</c> takes the same. Not thread-safe.</summary>
internal sealed class SyslogTarget(AccessLogSyslogConfig config, TimeProvider time) : AccessLogTarget
{
    /// <summary>A server that does not read holds the log's thread no longer than this for one line.</summary>
    private const int SendTimeoutMilliseconds = 1000;

    private readonly ArrayBufferWriter<byte> _message = new();
    private readonly string _head = string.Create(CultureInfo.InvariantCulture, $"<{(config.Facility * 8) + config.Severity}>1 ");
    private readonly byte[] _tail = Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $" {PrintableHost()} {config.Tag} {Environment.ProcessId} session - "));

    private Socket? _socket;

    public override void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    protected override int WriteLines(ReadOnlySpan<byte> lines, ref string? error)
    {
        var lost = 0;
        var stamp = Encoding.ASCII.GetBytes(_head + time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        while (lines.IndexOf((byte)'\n') is >= 0 and var end)
        {
            _message.ResetWrittenCount();
            _message.Write(stamp);
            _message.Write(_tail);
            _message.Write(lines[..end]);
            lines = lines[(end + 1)..];
            try
            {
                _socket ??= Open();
                _socket.Send(_message.WrittenSpan);
            }
            catch (SocketException e)
            {
                // Of a UDP socket that is an ICMP message to an earlier line: this one was not sent all the same.
                Close();
                error = e.Message;
                lost++;
            }
        }

        return lost;
    }

    /// <summary>RFC 5424 §6: printable ASCII, 255 at most; <c>-</c> = none.</summary>
    private static string PrintableHost()
    {
        var name = Environment.MachineName;
        return name.Length is > 0 and <= 255 && !name.AsSpan().ContainsAnyExceptInRange('!', '~') ? name : "-";
    }

    private Socket Open()
    {
        if (!SyslogAddress.TryParse(config.Address, out var address))
        {
            throw new InvalidOperationException("The configuration was not validated.");
        }

        var endPoint = address.Path is { } path
            ? new UnixDomainSocketEndPoint(path)
            : (EndPoint)new IPEndPoint(IPAddress.TryParse(address.Host, out var ip) ? ip : Dns.GetHostAddresses(address.Host)[0], address.Port);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, address.Path is null ? ProtocolType.Udp : ProtocolType.Unspecified);
        try
        {
            socket.SendTimeout = SendTimeoutMilliseconds;
            socket.Connect(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
