using System.Buffers;
using KestrelStream.StartTls;

namespace KestrelStream.Configuration.Validation;

/// <summary>Routes with <see cref="RouteConfig.StartTls"/>: each by itself, then those of each listener, whose clients can only be greeted in one protocol.</summary>
internal static class StartTlsValidator
{
    private const int MaxNameLength = 253;

    private static readonly SearchValues<char> s_nameChars = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

    public static void ValidateRoute(ValidationContext context, string path, RouteConfig route)
    {
        if (route.StartTls is not { } protocol)
        {
            return;
        }

        if (route.Match.Protocols.Count > 0)
        {
            context.AddError($"{path}:Match:Protocols", $"cannot go with StartTls \"{protocol}\", which is a protocol already; valid: leave it out");
        }

        if (route.Match.FirstBytes.Count > 0)
        {
            context.AddError($"{path}:Match:FirstBytes", $"cannot go with StartTls \"{protocol}\", which is known by the protocol's own bytes; valid: leave it out");
        }

        ValidateCluster(context, path, route, protocol);
        if (protocol == StartTlsProtocol.MySql)
        {
            MySqlRouteValidator.ValidateRoute(context, path, route);
        }

        if (protocol != StartTlsProtocol.PostgreSql && route.Action == RouteAction.Forward && route.Tls?.Mode != TlsMode.Terminate)
        {
            context.AddError($"{path}:StartTls", $"\"{protocol}\" needs TLS to end here; valid: Tls:Mode \"Terminate\", or StartTls \"PostgreSql\", which can also be passed through");
        }
    }

    /// <summary>TLS that is begun with the destination at once leaves no room for what these protocols say before it, or the greeting would have to be read inside it.</summary>
    private static void ValidateCluster(ValidationContext context, string path, RouteConfig route, StartTlsProtocol protocol)
    {
        if (route.ClusterId is not { } id || context.Config.Clusters.GetValueOrDefault(id) is not { Tls.Enabled: true })
        {
            return;
        }

        var isPassedThrough = route.Tls?.Mode != TlsMode.Terminate;
        var dialog = StartTlsDialog.Of(protocol);
        if (!dialog.DefersUpstreamTls && (isPassedThrough || dialog.ServerSpeaksFirst))
        {
            context.AddError(
                $"{path}:StartTls",
                $"\"{protocol}\"{(isPassedThrough ? " that is passed through" : "")} cannot go to cluster {ErrorText.Quote(id)}, with which TLS is spoken from the first byte; valid: a cluster without Tls");
        }
    }

    public static void ValidateListeners(ValidationContext context)
    {
        if (context.Config.Routes.Values.All(route => route.StartTls is null) && context.Config.Listeners.Values.All(listener => listener.StartTls is null))
        {
            return;
        }

        var routes = context.Config.Routes.OrderBy(route => route.Key, StringComparer.OrdinalIgnoreCase).ToArray();
        foreach (var (id, listener) in context.Config.Listeners.OrderBy(listener => listener.Key, StringComparer.OrdinalIgnoreCase))
        {
            var path = $"{context.Root}:Listeners:{id}";
            var own = routes.Where(route => route.Value.Listeners?.Contains(id, StringComparer.OrdinalIgnoreCase) ?? true).ToArray();
            var greeters = own.Where(route => route.Value.StartTls is { } protocol && StartTlsDialog.Of(protocol).ServerSpeaksFirst).ToArray();
            ValidateGreeters(context, own, greeters, id);
            MySqlRouteValidator.ValidateListener(context, id, own);
            if (greeters.Length > 0 && greeters.Length < own.Length && listener.ServerFirstAfter >= listener.PrereadTimeout)
            {
                context.AddError(
                    $"{path}:ServerFirstAfter",
                    $"\"{Duration.Format(listener.ServerFirstAfter)}\" is not before PrereadTimeout, so no client would ever be greeted; valid: less than {Duration.Format(listener.PrereadTimeout)}");
            }

            ValidateSection(context, $"{path}:StartTls", listener.StartTls, own, [.. greeters.Where(route => route.Value.StartTls != StartTlsProtocol.MySql)]);
        }
    }

    private static void ValidateGreeters(ValidationContext context, KeyValuePair<string, RouteConfig>[] own, KeyValuePair<string, RouteConfig>[] greeters, string listener)
    {
        if (greeters is not [var first, ..])
        {
            return;
        }

        foreach (var (id, route) in greeters)
        {
            if (route.StartTls != first.Value.StartTls)
            {
                context.AddError(
                    $"{context.Root}:Routes:{id}:StartTls",
                    $"\"{route.StartTls}\" and \"{first.Value.StartTls}\" of route {ErrorText.Quote(first.Key)} share listener {ErrorText.Quote(listener)}, whose clients wait for one greeting; valid: other Listeners");
            }
        }

        foreach (var (id, route) in own.Where(route => route.Value.Match.Protocols.Contains(ClientProtocol.ServerFirst)))
        {
            var isMySql = greeters.All(greeter => greeter.Value.StartTls == StartTlsProtocol.MySql);
            if (isMySql && MySqlRouteValidator.IsForClearClients(context, route, greeters))
            {
                continue;
            }

            context.AddError(
                $"{context.Root}:Routes:{id}:Match:Protocols",
                $"\"ServerFirst\" shares listener {ErrorText.Quote(listener)} with StartTls \"{first.Value.StartTls}\" of route {ErrorText.Quote(first.Key)}, and both take clients that say nothing; valid: {(isMySql ? "for those of MySQL without TLS the same ClusterId, of a cluster without Tls, or " : "")}other Listeners");
        }
    }

    private static void ValidateSection(
        ValidationContext context, string path, ListenerStartTlsConfig? section, KeyValuePair<string, RouteConfig>[] own, KeyValuePair<string, RouteConfig>[] greeters)
    {
        if (section is null)
        {
            return;
        }

        if (section.Name is { } name && (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExcept(s_nameChars)))
        {
            context.AddError($"{path}:Name", $"{ErrorText.Quote(name)} is not a host name; valid: 1 to {MaxNameLength} letters, digits, '-' and dots");
        }

        if (greeters.Length == 0)
        {
            context.AddError(path, "has no effect, as no route of this listener has StartTls \"Smtp\", \"Imap\" or \"Pop3\"; valid: such a route, or leave it out");
        }
        else if (section.Greeting == StartTlsGreeting.Destination)
        {
            if (section.Name is not null)
            {
                context.AddError($"{path}:Name", "has no effect with Greeting \"Destination\"; valid: Greeting \"Proxy\", or leave it out");
            }

            if (greeters.Length < own.Length || own.DistinctBy(route => route.Value.ClusterId, StringComparer.OrdinalIgnoreCase).Count() > 1)
            {
                context.AddError(
                    $"{path}:Greeting",
                    $"\"Destination\" greets before anything is known of the client, so every route of the listener must have StartTls \"{greeters[0].Value.StartTls}\" and the same ClusterId; valid: Greeting \"Proxy\", or such routes");
            }
        }
    }
}
