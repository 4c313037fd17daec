namespace KestrelStream.Tls;

/// <summary>What a terminating route offers, compiled. Immutable but for its certificates, which are swapped when their files change.</summary>
internal sealed class TlsPolicy
{
}
