using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Routing;

namespace KestrelStream.Dialing.Dynamic;

/// <summary>Which names a destination <c>{sni}:port</c> may stand for, and which addresses these may have. Immutable.</summary>
internal sealed class DynamicRules
{
    private readonly SniPattern[] _names;
    private readonly IPNetwork[] _networks;

    /// <param name="config">Valid.</param>
    public DynamicRules(DestinationConfig config)
    {
        _names = [.. config.AllowedNames.Select(text => SniPattern.TryParse(text, out var pattern, out var error) ? pattern! : throw new ArgumentException(error, nameof(config)))];
        _networks = [.. config.AllowedNetworks.Select(text => TryParseNetwork(text, out var network) ? network : throw new ArgumentException($"'{text}' is not a network.", nameof(config)))];
    }

    /// <summary><c>ip/prefix</c> without bits behind the prefix, or an address.</summary>
    public static bool TryParseNetwork(string text, out IPNetwork network)
        => Access.NetworkSyntax.TryParse(text, out network);

    /// <param name="name">Of a ClientHello: validated, lower case.</param>
    public bool AllowsName(string name)
    {
        foreach (var pattern in _names)
        {
            if (Matches(pattern, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether an address may be dialled. One of a reserved network must be allowed by a network that lies within that: <c>0.0.0.0/0</c> allows the whole
    /// Internet and nothing else.
    /// </summary>
    public bool AllowsAddress(IPAddress address)
    {
        if (ReservedNetworks.EmbeddedIn(address) is { } embedded && !AllowsAddress(embedded))
        {
            return false;
        }

        var reserved = ReservedNetworks.Of(address);
        foreach (var network in _networks)
        {
            if (network.Contains(address) && (reserved is not { } within || network.PrefixLength >= within.PrefixLength))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an address is allowed by itself, not just with its network.</summary>
    public bool Names(IPAddress address) => Array.Exists(_networks, network => network.BaseAddress.Equals(address) && network.PrefixLength is 32 or 128);

    private static bool Matches(SniPattern pattern, string name) => pattern.Kind switch
    {
        SniPatternKind.Exact => name == pattern.Key,
        SniPatternKind.Suffix => IsBelow(name, pattern.Key),
        SniPatternKind.ExactAndSuffix => name == pattern.Key || IsBelow(name, pattern.Key),
        SniPatternKind.Prefix => name.Length > pattern.Key.Length && name.StartsWith(pattern.Key, StringComparison.Ordinal) && name[pattern.Key.Length] == '.',
        _ => pattern.Regex!.IsMatch(name),
    };

    private static bool IsBelow(string name, string suffix)
        => name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal) && name[^(suffix.Length + 1)] == '.';
}
