using System.Net;

namespace KestrelStream.Management;

/// <summary>The running proxy, for the app that hosts it. Thread-safe.</summary>
public interface IStreamProxy
{
    /// <summary>1 after start, one more with every applied reload; 0 before.</summary>
    long Generation { get; }

    /// <summary>Addresses that each listener is bound to, by its id; a listener on port 0 shows its number here.</summary>
    IReadOnlyDictionary<string, IReadOnlyList<EndPoint>> BoundAddresses { get; }

    /// <summary>Loads, validates and applies the configuration again, as a change of its source does. Never throws for a bad one: it is rejected as a whole.</summary>
    Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default);

    /// <summary>Ends a drain that is under way: sessions that are left are reset. Before a drain: the drain to come will not wait.</summary>
    void AbortSessions();

    /// <summary>Everything that start would check, without binding for good or touching what runs.</summary>
    ConfigCheckResult Check();
}
