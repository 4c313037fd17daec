#pragma warning disable CA1822
namespace KestrelStream.Preread;
internal struct ClientHelloParser(int maxWireBytes) : IDisposable
{
    public readonly Tls.TlsAlert Alert => default;
    public readonly int Max => maxWireBytes;
    public readonly PrereadStatus Advance(ReadOnlySpan<byte> received) => received.Length > 0 ? PrereadStatus.NotTls : PrereadStatus.NeedMore;
    public readonly ClientHello GetHello(ReadOnlySpan<byte> received) => default;
    public readonly void Dispose() { }
}
