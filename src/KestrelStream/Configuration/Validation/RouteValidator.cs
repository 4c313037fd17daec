using KestrelStream.Access;
using KestrelStream.Routing;

namespace KestrelStream.Configuration.Validation;

/// <summary>The routes: each by itself here, its conditions and its TLS by the validators of those, then all of them together.</summary>
internal static class RouteValidator
{
    public static void Validate(ValidationContext context)
    {
        var mapPath = $"{context.Root}:Routes";
        if (context.Config.Routes.Count == 0)
        {
            context.AddError(mapPath, "at least one route is needed");
            return;
        }

        var together = new RouteSetValidator(context);
        foreach (var (id, path, route) in context.Items(mapPath, context.Config.Routes))
        {
            ValidateListeners(context, path, route);
            ValidateAction(context, path, route);
            context.CheckTime(path, "IdleTimeout", route.IdleTimeout, Duration.Shortest, mayBeInfinite: true);
            context.CheckTime(path, "HalfCloseTimeout", route.HalfCloseTimeout, Duration.Shortest, mayBeInfinite: true);
            context.CheckTime(path, "MaxSessionLifetime", route.MaxSessionLifetime, Duration.Shortest);

            AccessValidator.Validate(context, path, AccessLists.Of(route));
            LimitsValidator.Validate(context, $"{path}:Limits", route.Limits);

            StartTlsValidator.ValidateRoute(context, path, route);
            IReadOnlyList<SniPattern>? patterns = RouteMatchValidator.Validate(context, path, route);
            if (route.Tls is { } tls)
            {
                RouteTlsValidator.Validate(context, $"{path}:Tls", tls);
            }

            together.Add(id, path, route, patterns);
        }

        together.ValidateListeners();
        StartTlsValidator.ValidateListeners(context);
    }

    private static void ValidateListeners(ValidationContext context, string path, RouteConfig route)
    {
        if (route.Listeners is not { } listeners)
        {
            return;
        }

        if (listeners.Count == 0)
        {
            context.AddError($"{path}:Listeners", "the list is empty; valid: ids of listeners, or leave Listeners out for every listener");
        }

        for (var i = 0; i < listeners.Count; i++)
        {
            if (!context.Listeners.Contains(listeners[i]))
            {
                context.AddError($"{path}:Listeners:{i}", context.Listeners.UnknownId(listeners[i]));
            }
        }

        context.CheckDuplicates(path, "Listeners", listeners, StringComparer.OrdinalIgnoreCase);
    }

    private static void ValidateAction(ValidationContext context, string path, RouteConfig route)
    {
        if (route.Action == RouteAction.Forward)
        {
            if (route.ClusterId is not { } clusterId)
            {
                context.AddError($"{path}:ClusterId", "is missing; valid: the id of a cluster, or Action \"Http\" or \"Reject\"");
            }
            else if (!context.Clusters.Contains(clusterId))
            {
                context.AddError($"{path}:ClusterId", context.Clusters.UnknownId(clusterId));
            }

            return;
        }

        if (route.ClusterId is { } unused)
        {
            context.AddError($"{path}:ClusterId", $"{ErrorText.Quote(unused)} has no effect with Action \"{route.Action}\"; valid: Action \"Forward\", or leave it out");
        }

        if (route.Action == RouteAction.Http)
        {
            RouteHttpValidator.Validate(context, path, route);
            return;
        }

        CheckUnused("Tls", route.Tls is not null);
        CheckUnused("Allow", route.Allow.Count > 0 || route.AllowFile is not null);
        CheckUnused("Deny", route.Deny.Count > 0 || route.DenyFile is not null);
        CheckUnused("Limits", route.Limits is not null);

        void CheckUnused(string key, bool isGiven)
        {
            if (isGiven)
            {
                context.AddError($"{path}:{key}", $"has no effect with Action \"{route.Action}\"; valid: Action \"Forward\", or leave it out");
            }
        }
    }
}
