using KestrelStream.Discovery;

namespace KestrelStream.Configuration.Validation;

/// <summary>The keys that are not in a map: engine, shutdown, admin port, access log.</summary>
internal static class TopLevelValidator
{
    /// <summary>The ring of refused connections keeps 256 times as many.</summary>
    private const int MaxRefusedBytes = 1024;

    /// <summary>More loops than any machine has use for; each has a thread and a buffer.</summary>
    private const int MaxEventLoops = 256;

    /// <summary>Each is a series in every scrape.</summary>
    private const int MostTopNames = 1000;

    /// <summary>A lookup asks one after another, so many of them would never come to the last.</summary>
    private const int MaxNameServers = 8;

    public static void Validate(ValidationContext context)
    {
        var (config, root) = (context.Config, context.Root);
        if (!context.Hooks.IsEngineSupported(config.Engine))
        {
            var supported = Enum.GetValues<EngineKind>().Where(context.Hooks.IsEngineSupported).Select(kind => kind.ToString());
            context.AddError($"{root}:Engine", $"\"{config.Engine}\" does not run on this machine; valid: {string.Join(", ", supported)}");
        }

        if (config.Tls.Engine == TlsEngineKind.OpenSsl && (config.Engine == EngineKind.Sockets || !context.Hooks.IsEngineSupported(EngineKind.EventLoop)))
        {
            context.AddError($"{root}:Tls:Engine", "\"OpenSsl\" works only with the EventLoop engine; valid: Auto, SslStream");
        }

        context.CheckRange(root, "EventLoops", config.EventLoops, 1, MaxEventLoops);
        context.CheckTime(root, "ShutdownTimeout", config.ShutdownTimeout, TimeSpan.Zero);
        LimitsValidator.ValidateProcess(context, $"{root}:Limits", config.Limits);
        if (config.Admin is { } admin)
        {
            ValidateAdmin(context, admin);
        }

        if (config.Resolver is { } resolver)
        {
            ValidateResolver(context, $"{root}:Resolver", resolver);
        }

        if (config.HttpChallenge is { } httpChallenge)
        {
            AcmeValidator.ValidateHttpChallenge(context, httpChallenge);
        }

        if (config.AccessLog is { } accessLog)
        {
            AccessLogValidator.Validate(context, $"{root}:AccessLog", accessLog);
        }

        context.CheckRange($"{root}:Metrics", "TopNames", config.Metrics.TopNames, 0, MostTopNames);
    }

    private static void ValidateResolver(ValidationContext context, string path, ResolverConfig resolver)
    {
        context.CheckTime(path, "Timeout", resolver.Timeout, Duration.Shortest);
        if (resolver.Servers.Count > MaxNameServers)
        {
            context.AddError($"{path}:Servers", $"has {resolver.Servers.Count} servers; valid: up to {MaxNameServers}");
        }

        for (var i = 0; i < resolver.Servers.Count; i++)
        {
            if (!NameServers.TryParse(resolver.Servers[i], out _))
            {
                context.AddError($"{path}:Servers:{i}", $"{ErrorText.Quote(resolver.Servers[i])} is not a name server; valid: ip, ip:port, [v6]:port");
            }
        }

        context.CheckDuplicates(path, "Servers", resolver.Servers, StringComparer.OrdinalIgnoreCase);
    }

    private static void ValidateAdmin(ValidationContext context, AdminConfig admin)
    {
        // The value is not repeated: it is a secret.
        if (admin.Token is { } token && (token.Length == 0 || token.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            context.AddError($"{context.Root}:Admin:Token", "is empty or cannot be sent in a header; valid: printable ASCII without spaces");
        }

        if (admin.RefusedBytes is < 0 or > MaxRefusedBytes)
        {
            context.AddError($"{context.Root}:Admin:RefusedBytes", $"{admin.RefusedBytes} is out of range; valid: 0 to {MaxRefusedBytes}");
        }

        ValidateAllowedHosts(context, admin.AllowedHosts);
        if (admin is { Address: "" } && (admin.Token is not null || admin.RefusedBytes > 0))
        {
            // An app that hosts the library has addresses of its own.
            return;
        }

        var path = $"{context.Root}:Admin:Address";
        if (ListenAddress.Check(context, path, admin.Address) is not { } address)
        {
            return;
        }

        if (address.IsEveryAddress && admin.Token is null)
        {
            context.AddError(
                path, $"{ErrorText.Quote(admin.Address)} is every address of this machine, which needs a Token; valid: localhost:port, one address of this machine, unix:/path, or {context.Root}:Admin:Token beside it");
        }

        foreach (var (id, listener) in context.Config.Listeners.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (ProxyAddress.TryParseListen(listener.Address, out var other) && ListenAddress.Conflict(address, other!))
            {
                context.AddError(path, ListenAddress.ConflictMessage(address, other!, $"listener {ErrorText.Quote(id)}"));
            }
        }
    }

    private static void ValidateAllowedHosts(ValidationContext context, IReadOnlyList<string> hosts)
    {
        var path = $"{context.Root}:Admin";
        for (var i = 0; i < hosts.Count; i++)
        {
            var host = hosts[i];
            if (host != "*" && !ProxyAddress.IsHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host))
            {
                context.AddError($"{path}:AllowedHosts:{i}", $"{ErrorText.Quote(host)} is not a host name; valid: name, *.name, * (without a port; IP addresses need no entry)");
            }
        }

        context.CheckDuplicates(path, "AllowedHosts", hosts, StringComparer.OrdinalIgnoreCase);
    }
}
