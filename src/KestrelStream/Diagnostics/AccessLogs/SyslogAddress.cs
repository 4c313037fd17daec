using System.Diagnostics.CodeAnalysis;
using KestrelStream.Configuration;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Where a syslog server listens.</summary>
/// <param name="Host">Name or address; empty with a path.</param>
/// <param name="Port">Of UDP.</param>
/// <param name="Path">Of a unix socket; null = UDP.</param>
internal sealed record SyslogAddress(string Host, int Port, string? Path)
{
    public const string Valid = "udp:host:port, udp:[v6]:port, unix:/path";

    private const string Udp = "udp:";

    public static bool TryParse(string text, [NotNullWhen(true)] out SyslogAddress? address)
    {
        address = null;
        if (text.StartsWith("unix:/", StringComparison.Ordinal) && text.Length > "unix:/".Length && !text.Contains('\0'))
        {
            address = new SyslogAddress("", 0, text["unix:".Length..]);
        }
        else if (text.StartsWith(Udp, StringComparison.Ordinal)
            && ProxyAddress.TryParseDestination(text[Udp.Length..], out var destination) && destination!.Kind is ProxyAddressKind.Ip or ProxyAddressKind.Host or ProxyAddressKind.Localhost)
        {
            address = new SyslogAddress(destination.Ip?.ToString() ?? destination.Host, destination.Port, null);
        }

        return address is not null;
    }
}
