using KestrelStream.Routing;

namespace KestrelStream.Configuration.Validation;

/// <summary>The routes of each listener together: two that can never be told apart, a listener that has none. Used by one thread.</summary>
internal sealed class RouteSetValidator(ValidationContext context)
{
    /// <summary>Stands for "no server name" where patterns are compared: no pattern is empty.</summary>
    private const string EveryName = "";

    private readonly string[] _listenerIds =
        [.. context.Config.Listeners.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];

    private readonly Dictionary<string, ListenerRoutes> _listeners = context.Config.Listeners.Keys
        .Distinct(StringComparer.OrdinalIgnoreCase)
        .ToDictionary(id => id, _ => new ListenerRoutes(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Routes come by id. One that could not be read in full, or whose patterns are wrong (null), is not compared: what it takes is not known.</summary>
    public void Add(string id, string path, RouteConfig route, IReadOnlyList<SniPattern>? patterns)
    {
        var forms = patterns is null || context.IsMisread(path) ? [] : FormsOf(patterns);
        var conditions = RouteConditions.KeyOf(route);
        HashSet<string>? reported = null;
        foreach (var listenerId in route.Listeners ?? _listenerIds)
        {
            // An id that is no listener's has been reported.
            if (!_listeners.TryGetValue(listenerId, out var listener))
            {
                continue;
            }

            listener.HasRoutes = true;
            listener.TakesSilence |= route.Match.Protocols.Contains(ClientProtocol.ServerFirst);
            var claims = listener.Claims(conditions);
            foreach (var form in forms)
            {
                if (!claims.TryAdd(form, id) && claims[form] is var other && other != id && (reported ??= new(StringComparer.OrdinalIgnoreCase)).Add(other))
                {
                    context.AddError($"{path}:Match", CannotBeToldApart(other, listenerId, form));
                }
            }
        }
    }

    /// <summary>After the last route.</summary>
    public void ValidateListeners()
    {
        foreach (var id in _listenerIds)
        {
            var routes = _listeners[id];
            var path = $"{context.Root}:Listeners:{id}";
            if (!routes.HasRoutes)
            {
                context.AddError(path, "no route uses this listener; valid: its id in Listeners of a route, or a route without Listeners");
            }

            var listener = context.Config.Listeners[id];
            if (routes.TakesSilence && listener.ServerFirstAfter >= listener.PrereadTimeout)
            {
                context.AddError(
                    $"{path}:ServerFirstAfter",
                    $"\"{Duration.Format(listener.ServerFirstAfter)}\" is not before PrereadTimeout, so no client would ever reach a ServerFirst route; "
                    + $"valid: less than {Duration.Format(listener.PrereadTimeout)}");
            }
        }
    }

    private static IReadOnlyList<string> FormsOf(IReadOnlyList<SniPattern> patterns) => patterns.Count switch
    {
        0 => [EveryName],
        1 => patterns[0].Forms,
        _ => [.. patterns.SelectMany(pattern => pattern.Forms)],
    };

    private static string CannotBeToldApart(string other, string listenerId, string form)
    {
        var claim = form == EveryName ? "neither asks for a server name" : $"both take {ErrorText.Quote(form)}";
        return $"cannot be told apart from route {ErrorText.Quote(other)} on listener {ErrorText.Quote(listenerId)}: {claim}, and the other conditions are the same; "
            + "valid: a difference in Sni, Alpn, Protocols, FirstBytes or ClientNetworks, or other Listeners";
    }

    private sealed class ListenerRoutes
    {
        private readonly Dictionary<string, Dictionary<string, string>> _claims = new(StringComparer.Ordinal);

        public bool HasRoutes { get; set; }

        public bool TakesSilence { get; set; }

        /// <summary>Which route was the first to claim a pattern, among those whose other conditions are the same.</summary>
        public Dictionary<string, string> Claims(string conditions)
        {
            if (!_claims.TryGetValue(conditions, out var claims))
            {
                _claims.Add(conditions, claims = new(StringComparer.Ordinal));
            }

            return claims;
        }
    }
}
