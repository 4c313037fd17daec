using KestrelStream.Configuration;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Which records are written: those that one of the rules takes. Immutable; thread-safe.</summary>
internal sealed class AccessLogFilter(IEnumerable<AccessLogRuleConfig> rules)
{
    private readonly Rule[] _rules = [.. rules.Select(rule => new Rule(rule))];

    public bool Takes(StreamSession session, AccessLogEvent logEvent, TimeSpan duration)
    {
        if (_rules.Length == 0)
        {
            return true;
        }

        foreach (var rule in _rules)
        {
            if (rule.Takes(session, logEvent, duration))
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Rule(AccessLogRuleConfig config)
    {
        private readonly Choice _reasons = new(config.EndReasons);
        private readonly Choice _routes = new(config.Routes);
        private readonly Choice _listeners = new(config.Listeners);
        private readonly ulong _sample = config.Sample is { } share and < 1 ? (ulong)(share * ulong.MaxValue) : ulong.MaxValue;

        public bool Takes(StreamSession session, AccessLogEvent logEvent, TimeSpan duration)
            => (logEvent != AccessLogEvent.End || (_reasons.Has(SessionEndReasons.NameOf(session.EndReason)) && !(duration < config.MinDuration)))
                && _routes.Has(session.Route?.Id)
                && _listeners.Has(session.ListenerModel.Id)
                && Spread(session.Id) <= _sample;

        /// <summary>Neighbours get far away from each other, and a session gets the same each time (Fibonacci hashing, then its high bits into the low ones).</summary>
        private static ulong Spread(long id)
        {
            var spread = (ulong)id * 0x9e3779b97f4a7c15;
            return (spread ^ (spread >> 32)) * 0xd6e8feb86659fd93;
        }
    }

    /// <summary>A list of names, some of which may be excluded.</summary>
    private sealed class Choice(IReadOnlyList<string> items)
    {
        private readonly HashSet<string> _in = new(items.Where(item => !item.StartsWith('!')), StringComparer.OrdinalIgnoreCase);
        private readonly HashSet<string> _out = new(items.Where(item => item.StartsWith('!')).Select(item => item[1..]), StringComparer.OrdinalIgnoreCase);

        public bool Has(string? name)
            => (_in.Count == 0 || (name is not null && _in.Contains(name))) && (_out.Count == 0 || name is null || !_out.Contains(name));
    }
}
