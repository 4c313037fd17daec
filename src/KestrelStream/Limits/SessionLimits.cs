using System.Net;
using KestrelStream.Configuration;

namespace KestrelStream.Limits;

/// <summary>The limits of a listener or route, compiled: what one more session or handshake may. Immutable but for what it counts; thread-safe.</summary>
internal sealed class SessionLimits
{
    private readonly LimitsConfig _config;
    private readonly LimitState _state;
    private readonly ClientTable _clients;
    private readonly TimeProvider _time;
    private readonly RateLimit _newSessions;
    private readonly RateLimit _handshakes;
    private readonly ClientLimits? _perClient;

    public SessionLimits(LimitsConfig config, LimitState state, ClientTable clients, TimeProvider time)
    {
        _config = config;
        _state = state;
        _clients = clients;
        _time = time;
        _newSessions = RateOf(config.NewSessionsPerSecond);
        _handshakes = RateOf(config.HandshakesPerSecond);
        if (config.MaxSessionsPerClient is not null || config.NewSessionsPerSecondPerClient is not null || config.HandshakesPerSecondPerClient is not null)
        {
            _perClient = new ClientLimits(
                config.MaxSessionsPerClient ?? int.MaxValue, RateOf(config.NewSessionsPerSecondPerClient), RateOf(config.HandshakesPerSecondPerClient));
        }
    }

    public LimitAction Action => _config.Action;

    public TimeSpan MaxDelay => _config.MaxDelay;

    /// <summary>0 = unlimited.</summary>
    public int DownloadBytesPerSecond => _config.DownloadBytesPerSecond ?? 0;

    /// <summary>0 = unlimited.</summary>
    public int UploadBytesPerSecond => _config.UploadBytesPerSecond ?? 0;

    /// <summary>Counts a session in, until <see cref="Leave"/>; not when it is refused.</summary>
    public LimitVerdict Enter(EndPoint? client)
    {
        if (!_state.TryEnter(_config.MaxSessions ?? int.MaxValue))
        {
            return LimitVerdict.Refused(LimitKind.Sessions);
        }

        // The client's own first: one who comes too often is not to use up what is there for all.
        var verdict = LimitVerdict.Allowed;
        var now = _time.GetTimestamp();
        if (_perClient is not null && KeyOf(client, out var key))
        {
            verdict = _clients.Enter(key, _perClient, now);
            if (!verdict.IsAllowed)
            {
                _state.Leave();
                return verdict;
            }
        }

        if (_newSessions.IsSet)
        {
            if (!_state.NewSessions.TryTake(_newSessions, now, out var wait))
            {
                Leave(client);
                return LimitVerdict.Refused(LimitKind.SessionRate);
            }

            verdict = verdict.Or(LimitVerdict.After(wait, LimitKind.SessionRate));
        }

        return verdict;
    }

    public void Leave(EndPoint? client)
    {
        _state.Leave();
        if (_perClient is not null && KeyOf(client, out var key))
        {
            _clients.Leave(key);
        }
    }

    /// <summary>Of a session that has entered.</summary>
    public LimitVerdict TakeHandshake(EndPoint? client)
    {
        var verdict = LimitVerdict.Allowed;
        if (_perClient is { Handshakes.IsSet: true } && KeyOf(client, out var key))
        {
            verdict = _clients.TakeHandshake(key, _perClient, _time.GetTimestamp());
        }

        if (verdict.IsAllowed && _handshakes.IsSet)
        {
            verdict = _state.Handshakes.TryTake(_handshakes, _time.GetTimestamp(), out var wait)
                ? verdict.Or(LimitVerdict.After(wait, LimitKind.HandshakeRate))
                : LimitVerdict.Refused(LimitKind.HandshakeRate);
        }

        return verdict;
    }

    private bool KeyOf(EndPoint? client, out ClientKey key) => ClientKey.TryCreate(_state.Scope, client, _config.ClientPrefixV4, _config.ClientPrefixV6, out key);

    private RateLimit RateOf(double? perSecond)
        => new(perSecond, _config.Burst, _config.Action == LimitAction.Delay ? _config.MaxDelay : TimeSpan.Zero, _time.TimestampFrequency);
}
