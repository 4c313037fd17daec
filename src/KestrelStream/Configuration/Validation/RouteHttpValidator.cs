namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one route with <c>Action: Http</c>.</summary>
internal static class RouteHttpValidator
{
    private static readonly string[] Protocols = ["h2", "http/1.1"];

    public static void Validate(ValidationContext context, string path, RouteConfig route)
    {
        if (context.Hooks.WhyNoHttp() is { } why)
        {
            context.AddError($"{path}:Action", $"\"Http\" is not possible here: {why}");
        }

        if (route.StartTls is { } startTls)
        {
            context.AddError($"{path}:StartTls", $"\"{startTls}\" has no effect with Action \"Http\"; valid: Action \"Forward\", or leave it out");
        }

        if (route.Limits is { } limits)
        {
            CheckBandwidth(context, $"{path}:Limits:DownloadBytesPerSecond", limits.DownloadBytesPerSecond);
            CheckBandwidth(context, $"{path}:Limits:UploadBytesPerSecond", limits.UploadBytesPerSecond);
        }

        if (route.Tls is not { Mode: TlsMode.Terminate } tls)
        {
            ValidateClear(context, path, route);
            return;
        }

        for (var i = 0; i < tls.Alpn.Count; i++)
        {
            if (!Protocols.Contains(tls.Alpn[i]))
            {
                context.AddError($"{path}:Tls:Alpn:{i}", $"{ErrorText.Quote(tls.Alpn[i])} is no protocol that Action \"Http\" speaks; valid: {ErrorText.Names(Protocols)}, or leave Alpn out for both");
            }
        }
    }

    private static void CheckBandwidth(ValidationContext context, string path, int? bytesPerSecond)
    {
        if (bytesPerSecond is > 0)
        {
            context.AddError(path, "has no effect with Action \"Http\", whose bytes are the app's to send; valid: leave it out");
        }
    }

    /// <summary>Without TLS that ends here a client's hello would be taken for a request.</summary>
    private static void ValidateClear(ValidationContext context, string path, RouteConfig route)
    {
        const string Needed = "with Action \"Http\" TLS must end here; valid: Mode \"Terminate\"";
        if (route.Tls is not null)
        {
            context.AddError($"{path}:Tls:Mode", $"\"{route.Tls.Mode}\": {Needed}, or leave Tls out for HTTP in the clear");
        }
        else if (route.Match.Sni.Count > 0 || route.Match.Alpn.Count > 0 || route.Match.Protocols.Contains(ClientProtocol.Tls))
        {
            context.AddError($"{path}:Tls", $"is missing, and the route takes TLS clients: {Needed}");
        }
    }
}
