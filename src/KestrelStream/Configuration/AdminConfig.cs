namespace KestrelStream.Configuration;

/// <summary>The HTTP port of the server for health, metrics and the API, and who may change things over the API, in an app that hosts the library too.</summary>
public sealed record AdminConfig
{
    /// <summary>
    /// <c>ip:port</c>, <c>[v6]:port</c>, <c>*:port</c> (all addresses), <c>localhost:port</c> or <c>unix:/path</c>. Read at start only. Keep it on
    /// loopback: whoever reaches it may read. On every address of the machine it needs a <see cref="Token"/>. Required by the server; an app has addresses
    /// of its own and needs <see cref="Token"/> alone.
    /// </summary>
    public string Address { get; init; } = "";

    /// <summary>
    /// Secret that every change over the API has to bring (<c>Authorization: Bearer …</c>); null = no changes, except over the server's
    /// admin port when that is a unix socket: there the permissions of the file decide.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// Host names, besides <c>localhost</c> and IP addresses, for which the server's admin port answers: <c>name</c>, <c>*.name</c> (its subdomains) or
    /// <c>*</c>. None given = every one where <see cref="Address"/> is open to other machines, no other one where it is loopback: a page in a browser
    /// could have its own name resolve to there.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>How many of the first bytes that a refused client has sent are shown by <c>/api/refused</c>; 0 = none: they may be a secret.</summary>
    public int RefusedBytes { get; init; }
}
