using System.Globalization;
using KestrelStream.Admin.Live;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary>What <c>GET /api/sessions</c> asks for: which sessions, in which order, which page of them. Immutable.</summary>
internal sealed record SessionQuery(SessionFilter Filter, string? Text, string Sort, bool IsDescending, int Limit, int Offset)
{
    private const int DefaultLimit = 1000;
    private const int MaxLimit = 10_000;

    private static readonly string[] s_keys = ["q", "sort", "limit", "offset"];

    private static readonly string[] s_sorts = ["id", "started", "listener", "route", "cluster", "destination", "client", "sni", "phase", "bytes_in", "bytes_out", "bytes", "rate"];

    /// <summary>Null = it asks for something that there is not, and <paramref name="error"/> says what.</summary>
    public static SessionQuery? Read(IQueryCollection query, out string? error)
    {
        var filter = SessionFilter.Read(query, s_keys, out error);
        var sort = (string?)query["sort"] ?? "id";
        var isDescending = sort.StartsWith('-');
        sort = sort.TrimStart('-').ToLowerInvariant();
        if (!s_sorts.Contains(sort))
        {
            error ??= $"sort is unknown; valid: {string.Join(", ", s_sorts)}, with a '-' before it for the largest first.";
        }

        var limit = Number(query["limit"], DefaultLimit, 0, MaxLimit, "limit", ref error);
        var offset = Number(query["offset"], 0, 0, int.MaxValue, "offset", ref error);
        return error is null ? new SessionQuery(filter, query["q"], sort, isDescending, limit, offset) : null;
    }

    /// <param name="table">The running ones.</param>
    /// <param name="rates">What each moves a second.</param>
    /// <param name="total">How many there are on all pages.</param>
    public IEnumerable<StreamSession> Find(SessionTable table, SessionRates rates, out int total)
    {
        // Those that have ended and are being put away have their record already.
        var found = table.Snapshot();
        found.RemoveAll(session => session.Phase == SessionPhase.Closed || !Filter.Takes(session) || !HasText(session));
        total = found.Count;
        Order(found, rates);
        if (IsDescending)
        {
            found.Reverse();
        }

        return found.Skip(Offset).Take(Limit);
    }

    private static int Number(string? text, int none, int min, int max, string key, ref string? error)
    {
        if (text is null)
        {
            return none;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
        {
            return number;
        }

        error ??= $"{key} is not valid; valid: {min} to {max}.";
        return none;
    }

    /// <summary>Keys are read once: they change meanwhile. Equals stay in the order of their ids.</summary>
    private void Order(List<StreamSession> sessions, SessionRates rates)
    {
        switch (Sort)
        {
            case "id" or "started":
                By(sessions, session => session.Id);
                break;
            case "bytes_in":
                By(sessions, session => Volatile.Read(ref session.BytesIn));
                break;
            case "bytes_out":
                By(sessions, session => Volatile.Read(ref session.BytesOut));
                break;
            case "bytes":
                By(sessions, session => Volatile.Read(ref session.BytesIn) + Volatile.Read(ref session.BytesOut));
                break;
            case "rate":
                By(sessions, session => rates.Of(session) is { } rate ? (long)(rate.In + rate.Out) : -1);
                break;
            case "phase":
                By(sessions, session => (long)session.Phase);
                break;
            default:
                By(sessions, TextOf);
                break;
        }
    }

    private string? TextOf(StreamSession session) => Sort switch
    {
        "listener" => session.ListenerModel.Id,
        "route" => session.Route?.Id,
        "cluster" => session.Route?.Cluster?.Id,
        "destination" => session.Destination?.Id,
        "client" => EndPointText.Of(session.ClientEndPoint),
        _ => session.ServerName,
    };

    private static void By(List<StreamSession> sessions, Func<StreamSession, long> key)
    {
        var keys = sessions.Select(session => (Key: key(session), session.Id)).ToArray();
        var items = sessions.ToArray();
        Array.Sort(keys, items);
        sessions.Clear();
        sessions.AddRange(items);
    }

    private static void By(List<StreamSession> sessions, Func<StreamSession, string?> key)
    {
        var keys = sessions.Select(session => (Key: key(session), session.Id)).ToArray();
        var items = sessions.ToArray();
        Array.Sort(keys, items, Comparer<(string? Key, long Id)>.Create(
            static (a, b) => string.CompareOrdinal(a.Key, b.Key) is not 0 and var order ? order : a.Id.CompareTo(b.Id)));
        sessions.Clear();
        sessions.AddRange(items);
    }

    private bool HasText(StreamSession session)
        => Text is null
            || Has(session.IdText) || Has(session.ServerName) || Has(session.Destination?.Id) || Has(session.Route?.Id) || Has(session.Route?.Cluster?.Id)
            || Has(session.ListenerModel.Id) || Has(EndPointText.Of(session.ClientEndPoint));

    private bool Has(string? value) => value?.Contains(Text!, StringComparison.OrdinalIgnoreCase) == true;
}
