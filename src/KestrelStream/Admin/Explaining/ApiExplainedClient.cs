namespace KestrelStream.Admin.Explaining;

/// <summary>What an explanation goes by.</summary>
/// <param name="Kind"><c>tls</c>, <c>not_tls</c>, <c>start_tls</c> (it asks for TLS, and its ClientHello will decide), <c>incomplete</c>, <c>malformed</c>, <c>too_large</c>; <c>any</c> = the listener looks at no bytes.</param>
/// <param name="Sni">Server name; null = none.</param>
/// <param name="Alpn">Protocols that are offered.</param>
/// <param name="Address">Its address; null = not given.</param>
/// <param name="Error">Which rule its ClientHello breaks; null = none.</param>
internal sealed record ApiExplainedClient(string Kind, string? Sni, IReadOnlyList<string> Alpn, string? Address, string? Error);
