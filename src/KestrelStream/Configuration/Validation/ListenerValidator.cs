using KestrelStream.Access;

namespace KestrelStream.Configuration.Validation;

/// <summary>The listeners: addresses, conflicts among them, ranges.</summary>
internal static class ListenerValidator
{
    /// <summary>A hello of current clients is 500 to 2,000 bytes; a smaller buffer would refuse most of them.</summary>
    private const int MinPrereadBufferBytes = 1024;

    private const int MaxPrereadBufferBytes = 65536;

    public static void Validate(ValidationContext context)
    {
        var mapPath = $"{context.Root}:Listeners";
        if (context.Config.Listeners.Count == 0)
        {
            context.AddError(mapPath, "at least one listener is needed");
        }

        var bound = new List<(string Id, ProxyAddress Address)>();
        foreach (var (id, path, listener) in context.Items(mapPath, context.Config.Listeners))
        {
            if (ListenAddress.Check(context, $"{path}:Address", listener.Address) is { } address)
            {
                foreach (var other in bound.Where(other => ListenAddress.Conflict(address, other.Address)))
                {
                    context.AddError($"{path}:Address", ListenAddress.ConflictMessage(address, other.Address, $"listener {ErrorText.Quote(other.Id)}"));
                }

                bound.Add((id, address));
            }

            context.CheckTime(path, "PrereadTimeout", listener.PrereadTimeout, Duration.Shortest);
            context.CheckTime(path, "ServerFirstAfter", listener.ServerFirstAfter, Duration.Shortest);
            context.CheckTime(path, "HandshakeTimeout", listener.HandshakeTimeout, Duration.Shortest);
            context.CheckRange(path, "PrereadBufferBytes", listener.PrereadBufferBytes, MinPrereadBufferBytes, MaxPrereadBufferBytes);
            context.CheckRange(path, "Backlog", listener.Backlog, 1);
            context.CheckRange(path, "MaxConnections", listener.MaxConnections, 1);
            ValidateProxyProtocol(context, $"{path}:ProxyProtocol", listener.ProxyProtocol);
            AccessValidator.Validate(context, path, AccessLists.Of(listener));
            LimitsValidator.Validate(context, $"{path}:Limits", listener.Limits);
        }
    }

    private static void ValidateProxyProtocol(ValidationContext context, string path, ListenerProxyProtocolConfig? config)
    {
        if (config is null)
        {
            return;
        }

        context.CheckTime(path, "Timeout", config.Timeout, Duration.Shortest);
        AccessValidator.CheckNetworks(context, $"{path}:TrustedNetworks", config.TrustedNetworks);
        if (config.Mode != ProxyProtocolMode.Off && config.TrustedNetworks.Count == 0)
        {
            context.AddError($"{path}:TrustedNetworks", $"is missing or empty, and without a trusted peer nobody may send a header (Mode is {config.Mode}); valid: networks of the proxies in front");
        }
    }
}
