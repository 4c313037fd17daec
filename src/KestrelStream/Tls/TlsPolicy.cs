using System.Net.Security;
namespace KestrelStream.Tls;
internal sealed class TlsPolicy
{
    private readonly SslServerAuthenticationOptions _o = new();
    public SslServerAuthenticationOptions GetOptions(string? serverName) => serverName is null ? _o : _o;
}
