namespace KestrelStream.Configuration;

/// <summary>The HTTP port of the server for health, metrics and the API, and who may change things over the API, in an app that hosts the library too.</summary>
public sealed record AdminConfig
{
    /// <summary>
    /// <c>ip:port</c>, <c>[v6]:port</c>, <c>*:port</c> (all addresses), <c>localhost:port</c> or <c>unix:/path</c>. Read at start only. Keep it on
    /// loopback: whoever reaches it may read. Required by the server; an app has addresses of its own and needs <see cref="Token"/> alone.
    /// </summary>
    public string Address { get; init; } = "";

    /// <summary>
    /// Secret that every change over the API has to bring (<c>Authorization: Bearer …</c>); null = no changes, except over the server's
    /// admin port when that is a unix socket: there the permissions of the file decide.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>How many of the first bytes that a refused client has sent are shown by <c>/api/refused</c>; 0 = none: they may be a secret.</summary>
    public int RefusedBytes { get; init; }
}
