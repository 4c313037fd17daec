using System.Buffers;
using System.Text;
using KestrelStream.Health.Checks;
using KestrelStream.Preread;

namespace KestrelStream.Configuration.Validation;

/// <summary>The active checks of a cluster: values, keys that its kind does not use, and whether it can work with each destination at all.</summary>
internal static class ActiveCheckValidator
{
    private const int MaxJitter = 50;
    private const string ValidAddress = "ip:port, [v6]:port, host:port, unix:/path";

    private static readonly SearchValues<char> TokenChars
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    private static readonly ActiveHealthCheckConfig Defaults = new();

    public static void Validate(ValidationContext context, string path, ActiveHealthCheckConfig check)
    {
        context.CheckTime(path, "Interval", check.Interval, Duration.Shortest);
        context.CheckTime(path, "IntervalWhenDown", check.IntervalWhenDown, Duration.Shortest);
        context.CheckTime(path, "Timeout", check.Timeout, Duration.Shortest);
        context.CheckRange(path, "Jitter", check.Jitter, 0, MaxJitter);
        context.CheckRange(path, "Rise", check.Rise, 1);
        context.CheckRange(path, "Fall", check.Fall, 1);
        context.CheckRange(path, "Port", check.Port, 1, System.Net.IPEndPoint.MaxPort);
        CheckAddressForm(context, $"{path}:Address", check.Address);
        if (check.Address is not null && check.Port is not null)
        {
            context.AddError($"{path}:Port", $"{check.Port} has no effect with Address; valid: one of the two");
        }

        if (!context.IsMisread($"{path}:Kind"))
        {
            ValidateUnusedKeys(context, path, check);
        }

        ValidateTls(context, path, check);
        ValidateHttp(context, path, check);
        ValidateSteps(context, path, check);
        foreach (var (key, value) in new[] { (nameof(check.User), check.User), (nameof(check.Database), check.Database), (nameof(check.Password), check.Password) })
        {
            // The value is not repeated: it may be a secret.
            if (value is not null && (value.Length == 0 || value.Contains('\0')))
            {
                context.AddError($"{path}:{key}", "is empty or has a zero character; valid: text");
            }
        }

        if (check is { Kind: HealthCheckKind.Redis, User: not null, Password: null })
        {
            context.AddError($"{path}:User", $"{ErrorText.Quote(check.User)} has no effect without Password; valid: both, or neither");
        }
    }

    /// <summary>What a check needs of one destination.</summary>
    public static void ValidateDestination(ValidationContext context, string clusterPath, string path, ClusterConfig cluster, DestinationConfig destination)
    {
        CheckAddressForm(context, $"{path}:Health", destination.Health);
        CheckHost(context, $"{path}:Host", destination.Host);
        var check = cluster.HealthCheck?.Active;
        if (check is not { Enabled: true } || CheckAddress.Of(check, destination) is not { } address)
        {
            return;
        }

        if (check.Port is not null && destination.Health is null && check.Address is null && address.Kind == ProxyAddressKind.Unix)
        {
            context.AddError(
                $"{clusterPath}:HealthCheck:Active:Port", $"{check.Port} cannot be used with {ErrorText.Quote(destination.Address)}, which has no port; valid: no Port, or a Health address there");
        }

        // Where sessions speak TLS with the same server, what they verify it by is good for checks too.
        var hasName = (cluster.Tls is { Enabled: true } && CheckAddress.IsOwn(check, destination)) || CheckAddress.ServerName(check, destination) is not null;
        if (check is { Kind: HealthCheckKind.Tls or HealthCheckKind.Https, Verify: true } && !hasName)
        {
            context.AddError(
                $"{clusterPath}:HealthCheck:Active:ServerName",
                $"is needed to verify the certificate of {ErrorText.Quote(address.ToString())}, which is no host name; valid: ServerName, Host of the destination, or Verify false");
        }
    }

    private static void CheckAddressForm(ValidationContext context, string path, string? text)
    {
        if (text is not null && (!ProxyAddress.TryParseDestination(text, out var address) || address!.Kind == ProxyAddressKind.Srv))
        {
            context.AddError(path, $"{ErrorText.Quote(text)} is not an address to dial; valid: {ValidAddress}");
        }
    }

    private static void CheckHost(ValidationContext context, string path, string? host)
    {
        if (host is not null && (host.Length == 0 || host.Any(c => c is <= ' ' or >= '\x7f' or '/' or '@')))
        {
            context.AddError(path, $"{ErrorText.Quote(host)} is not a host; valid: a host name, with :port if need be");
        }
    }

    private static void ValidateUnusedKeys(ValidationContext context, string path, ActiveHealthCheckConfig check)
    {
        Check(nameof(check.ServerName), check.ServerName is not null, HealthCheckKind.Tls, HealthCheckKind.Https);
        Check(nameof(check.Verify), !check.Verify, HealthCheckKind.Tls, HealthCheckKind.Https);
        Check(nameof(check.TrustedCertificates), check.TrustedCertificates is not null, HealthCheckKind.Tls, HealthCheckKind.Https);
        Check(nameof(check.Method), check.Method != Defaults.Method, HealthCheckKind.Http, HealthCheckKind.Https);
        Check(nameof(check.Path), check.Path != Defaults.Path, HealthCheckKind.Http, HealthCheckKind.Https);
        Check(nameof(check.Host), check.Host is not null, HealthCheckKind.Http, HealthCheckKind.Https);
        Check(nameof(check.ExpectStatus), check.ExpectStatus != Defaults.ExpectStatus, HealthCheckKind.Http, HealthCheckKind.Https);
        Check(nameof(check.ExpectBody), check.ExpectBody is not null, HealthCheckKind.Http, HealthCheckKind.Https);
        Check(nameof(check.Steps), check.Steps.Count > 0, HealthCheckKind.SendExpect);
        Check(nameof(check.User), check.User is not null, HealthCheckKind.PostgreSql, HealthCheckKind.MySql, HealthCheckKind.Redis);
        Check(nameof(check.Database), check.Database is not null, HealthCheckKind.PostgreSql);
        Check(nameof(check.Password), check.Password is not null, HealthCheckKind.Redis);
        if (check is { Verify: false, TrustedCertificates: not null })
        {
            context.AddError($"{path}:TrustedCertificates", "has no effect with Verify false; valid: one of the two");
        }

        void Check(string key, bool isGiven, params HealthCheckKind[] kinds)
        {
            if (isGiven && !kinds.Contains(check.Kind))
            {
                var valid = string.Join(" or ", kinds.Select(kind => ErrorText.Quote(kind.ToString())));
                context.AddError($"{path}:{key}", $"has no effect with Kind {ErrorText.Quote(check.Kind.ToString())}; valid: Kind {valid}, or leave it out");
            }
        }
    }

    private static void ValidateTls(ValidationContext context, string path, ActiveHealthCheckConfig check)
    {
        if (check.ServerName is { } name && (!ServerNameSyntax.TryParse(Encoding.UTF8.GetBytes(name), out var valid) || valid.IsEmpty))
        {
            context.AddError($"{path}:ServerName", $"{ErrorText.Quote(name)} is not a host name; valid: as app.example.com");
        }

        if (check.TrustedCertificates is { } file)
        {
            FilePath.Check(context, $"{path}:TrustedCertificates", file, "a PEM file");
        }
    }

    private static void ValidateHttp(ValidationContext context, string path, ActiveHealthCheckConfig check)
    {
        if (check.Method.Length == 0 || check.Method.AsSpan().ContainsAnyExcept(TokenChars))
        {
            context.AddError($"{path}:Method", $"{ErrorText.Quote(check.Method)} is not an HTTP method; valid: as GET, HEAD, OPTIONS");
        }

        if (!check.Path.StartsWith('/') || check.Path.Any(c => c is <= ' ' or >= '\x7f'))
        {
            context.AddError($"{path}:Path", $"{ErrorText.Quote(check.Path)} is not a path; valid: / and printable ASCII without spaces, percent-encoded where needed");
        }

        CheckHost(context, $"{path}:Host", check.Host);
        if (!StatusRanges.TryParse(check.ExpectStatus, out _))
        {
            context.AddError($"{path}:ExpectStatus", $"{ErrorText.Quote(check.ExpectStatus)} is no list of status codes; valid: codes from 100 to 599 and ranges, as 200-299,401");
        }

        if (check.ExpectBody is { } body && (body.Length == 0 || check.Method == "HEAD"))
        {
            context.AddError($"{path}:ExpectBody", body.Length == 0 ? "is empty; valid: text" : "has no effect with Method \"HEAD\", which has no body; valid: another Method");
        }
    }

    private static void ValidateSteps(ValidationContext context, string path, ActiveHealthCheckConfig check)
    {
        if (check.Kind == HealthCheckKind.SendExpect && check.Steps.Count == 0)
        {
            context.AddError($"{path}:Steps", "at least one step is needed with Kind \"SendExpect\"");
        }

        for (var i = 0; i < check.Steps.Count; i++)
        {
            var step = check.Steps[i];
            if (context.IsMisread($"{path}:Steps:{i}"))
            {
                continue;
            }

            if (step.Send is null == step.Expect is null)
            {
                context.AddError($"{path}:Steps:{i}", "has neither Send nor Expect, or both; valid: exactly one of the two");
            }
            else if (step.Send is { } send && (!EscapedText.TryParse(send, out var bytes, out var error) || bytes.Length == 0))
            {
                context.AddError($"{path}:Steps:{i}:Send", $"{ErrorText.Quote(send)} cannot be sent: {error ?? "it is empty"}");
            }
            else if (step.Expect is { } expect && !ExpectPattern.TryCreate(expect, out _, out var problem))
            {
                context.AddError($"{path}:Steps:{i}:Expect", $"{ErrorText.Quote(expect)} cannot be expected: {problem ?? "it is empty"}");
            }
        }
    }
}
