using System.Net;
using System.Text;
using KestrelStream.Preread;

namespace KestrelStream.Admin.Explaining;

/// <summary>A client that may come: what of it decides where it goes. Immutable.</summary>
internal sealed record ExplainQuestion
{
    /// <summary>RFC 7301 §3.1: one length byte a name, two for the list.</summary>
    private const int MaxAlpnListBytes = ushort.MaxValue;

    /// <summary>Id of the listener that it comes to.</summary>
    public required string Listener { get; init; }

    /// <summary>Lower-cased, without a trailing dot; null = none.</summary>
    public string? ServerName { get; private init; }

    /// <summary>As a ClientHello has it.</summary>
    public byte[] AlpnList { get; private init; } = [];

    /// <summary>Null = not given.</summary>
    public IPAddress? Client { get; private init; }

    /// <summary>The first bytes that it sends, instead of name and protocols; null = a well-formed hello with those.</summary>
    public byte[]? Hello { get; private init; }

    /// <summary>Null = something is not what it should be, and <paramref name="error"/> says what.</summary>
    public static ExplainQuestion? Read(string? listener, string? serverName, string? alpn, string? client, byte[]? hello, out string? error)
    {
        error = null;
        string? name = null;
        byte[] list = [];
        IPAddress? address = null;
        if (string.IsNullOrEmpty(listener))
        {
            error = "listener is missing: the id of one of /api/listeners.";
        }
        else if (!TryReadServerName(serverName, out name))
        {
            error = "sni is not a server name: 1 to 253 letters, digits, '-', '_' and dots, labels of 1 to 63.";
        }
        else if (!TryReadAlpn(alpn, out list))
        {
            error = "alpn is not a list of protocols: names of 1 to 255 bytes, a comma between two.";
        }
        else if (!string.IsNullOrEmpty(client) && !IPAddress.TryParse(client, out address))
        {
            error = "client is not an IP address.";
        }
        else if (hello is not null && (name is not null || list.Length > 0))
        {
            error = "hello says what the client sends; sni and alpn have no place beside it.";
        }

        return error is null ? new ExplainQuestion { Listener = listener!, ServerName = name, AlpnList = list, Client = address, Hello = hello } : null;
    }

    /// <summary>Hex digits, white space between them; null = it is not that.</summary>
    public static byte[]? ReadHex(string text)
    {
        var digits = string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
        return digits.Length > 0 && digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
    }

    /// <summary>By the rules for names in a ClientHello; what is no name there is none here.</summary>
    private static bool TryReadServerName(string? text, out string? serverName)
    {
        serverName = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        if (!ServerNameSyntax.TryParse(Encoding.UTF8.GetBytes(text), out var name))
        {
            return false;
        }

        serverName = name.IsEmpty ? null : ServerNameSyntax.ToLowerCase(name);
        return true;
    }

    private static bool TryReadAlpn(string? text, out byte[] list)
    {
        list = [];
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        foreach (var protocol in text.Split(','))
        {
            var name = Encoding.UTF8.GetBytes(protocol);
            if (name.Length is 0 or > byte.MaxValue || list.Length + 1 + name.Length > MaxAlpnListBytes)
            {
                return false;
            }

            list = [.. list, (byte)name.Length, .. name];
        }

        return true;
    }
}
