using System.Net;
using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Dialing.Dynamic;

/// <summary>
/// Says where a session goes whose destination is the server name that its client has asked for, <c>{sni}:port</c>. Every answer is checked, whether it
/// was just looked up or is still known, and what was checked is what is dialled: a name that changes its address in between gains nothing. Thread-safe.
/// </summary>
internal sealed class DynamicTargets(NameCache names, OwnListeners own, TimeProvider time)
{
    private readonly ConditionalWeakTable<DestinationConfig, DynamicRules> _rules = [];

    /// <param name="session">Whose dial budget runs.</param>
    /// <param name="destination">With such an address.</param>
    /// <param name="timeout">Longest wait for the resolver.</param>
    /// <returns>Where to dial, in this order; or why not.</returns>
    public async ValueTask<(EndPoint[] EndPoints, ConnectStatus Status)> FindAsync(StreamSession session, DestinationState destination, TimeSpan timeout)
    {
        var config = destination.Config;
        var rules = _rules.GetValue(config, static config => new DynamicRules(config));
        if (session.ServerName is not { } name || !rules.AllowsName(name))
        {
            return ([], ConnectStatus.NotAllowed);
        }

        NameAnswer answer;
        try
        {
            answer = await names.FindAsync(name, session.Route!.Cluster!.Model.Config.DnsRefresh).WaitAsync(timeout, time);
        }
        catch (TimeoutException)
        {
            return ([], ConnectStatus.TimedOut);
        }
        finally
        {
            await session.Environment.ResumeAsync();
        }

        if (answer.Result != LookupResult.Ok || answer.Addresses.IsEmpty)
        {
            return ([], ConnectStatus.NotResolved);
        }

        var port = destination.Address.Port;
        var allowed = answer.Addresses
            .Select(found => found.Address)
            .Where(address => rules.AllowsAddress(address) && (rules.Names(address) || !own.Contains(address, port)))
            .Select(EndPoint (address) => new IPEndPoint(address, port))
            .ToArray();
        return (allowed, allowed.Length > 0 ? ConnectStatus.Connected : ConnectStatus.NotAllowed);
    }
}
