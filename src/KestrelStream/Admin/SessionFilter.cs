using System.Net;
using KestrelStream.Access;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary>Sessions that a query asks for: all of those conditions that are given hold. Ids and names ignore case. Immutable.</summary>
/// <param name="Listener">Id.</param>
/// <param name="Route">Id.</param>
/// <param name="Cluster">Id.</param>
/// <param name="Destination">Id, of a member or of the name that it was found by.</param>
/// <param name="Client">Address or network, as it was written.</param>
/// <param name="Sni">Server name, or <c>*.</c> and what it ends with.</param>
internal sealed record SessionFilter(string? Listener, string? Route, string? Cluster, string? Destination, string? Client, string? Sni)
{
    public static readonly string[] Keys = ["listener", "route", "cluster", "destination", "client", "sni"];

    private readonly IPNetwork? _network = Client is null ? null : NetworkOf(Client);

    public bool IsEmpty => Listener is null && Route is null && Cluster is null && Destination is null && Client is null && Sni is null;

    /// <summary>What cannot be taken literally is refused: it might mean fewer sessions than it says.</summary>
    /// <param name="query">Of the request.</param>
    /// <param name="others">Keys that may be there beside those of a filter.</param>
    /// <param name="error">Null = none.</param>
    public static SessionFilter Read(IQueryCollection query, ReadOnlySpan<string> others, out string? error)
    {
        error = null;
        foreach (var (key, values) in query)
        {
            if (!Keys.Contains(key, StringComparer.OrdinalIgnoreCase) && !Has(others, key))
            {
                error = $"There is an unknown key; valid: {string.Join(", ", [.. Keys, .. others])}.";
            }
            else if (values is not [{ Length: > 0 }])
            {
                error = $"{key.ToLowerInvariant()} is empty or there twice; valid: a value, once.";
            }
        }

        string? client = query["client"];
        if (error is null && client is not null && NetworkOf(client) is null)
        {
            error = "client is neither an IP address nor a network; valid: 203.0.113.9, 203.0.113.0/24, 2001:db8::/32.";
        }

        return error is null
            ? new SessionFilter(query["listener"], query["route"], query["cluster"], query["destination"], client, query["sni"])
            : new SessionFilter(null, null, null, null, null, null);
    }

    public bool Takes(StreamSession session)
        => Is(Listener, session.ListenerModel.Id)
            && Is(Route, session.Route?.Id)
            && Is(Cluster, session.Route?.Cluster?.Id)
            && (Is(Destination, session.Destination?.Id) || Is(Destination, session.Destination?.ConfiguredId))
            && (_network is not { } network || (session.ClientEndPoint is IPEndPoint client && network.Contains(NetworkSyntax.Plain(client.Address))))
            && IsName(session.ServerName);

    public override string ToString()
        => string.Join(' ', new[] { Listener, Route, Cluster, Destination, Client, Sni }.Zip(Keys).Where(part => part.First is not null).Select(part => $"{part.Second}={Configuration.ErrorText.Quote(part.First!)}"));

    private static bool Is(string? wanted, string? id) => wanted is null || wanted.Equals(id, StringComparison.OrdinalIgnoreCase);

    private static bool Has(ReadOnlySpan<string> keys, string key)
    {
        foreach (var one in keys)
        {
            if (one.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Null = it is none. Bits beyond the prefix do not matter.</summary>
    private static IPNetwork? NetworkOf(string text)
    {
        var slash = text.IndexOf('/');
        if (!IPAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out var address))
        {
            return null;
        }

        address = NetworkSyntax.Plain(address);
        var bytes = address.GetAddressBytes();
        var length = bytes.Length * 8;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out length) || length > bytes.Length * 8))
        {
            return null;
        }

        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }

    private bool IsName(string? name)
        => Sni is null || (Sni.StartsWith("*.", StringComparison.Ordinal)
            ? name is not null && name.EndsWith(Sni[1..], StringComparison.OrdinalIgnoreCase)
            : Sni.TrimEnd('.').Equals(name, StringComparison.OrdinalIgnoreCase));
}
