namespace KestrelStream.Configuration;

/// <summary>A small HTTP server that answers the <see cref="AcmeChallenge.Http01"/> challenges of ACME servers and nothing else.</summary>
public sealed record HttpChallengeConfig
{
    /// <summary>Where it listens, in the forms of <see cref="ListenerConfig.Address"/>; the authority connects to port 80. Required.</summary>
    public string Address { get; init; } = "";

    /// <summary>Whether other requests are redirected to https, same host and path. Default false: they get 404.</summary>
    public bool RedirectToHttps { get; init; }
}
