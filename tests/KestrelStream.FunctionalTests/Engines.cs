using KestrelStream.Configuration;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.FunctionalTests;

/// <summary>Every engine that this machine can run: behaviour is the same on all.</summary>
public static class Engines
{
    public static TheoryData<EngineKind> All => [.. new[] { EngineKind.Sockets, EngineKind.EventLoop }.Where(EngineSelector.IsSupported)];

    /// <summary>Every engine with everything that can end TLS on it.</summary>
    public static TheoryData<EngineKind, TlsEngineKind> AllTls
    {
        get
        {
            var all = new TheoryData<EngineKind, TlsEngineKind>();
            foreach (var engine in new[] { EngineKind.Sockets, EngineKind.EventLoop }.Where(EngineSelector.IsSupported))
            {
                all.Add(engine, TlsEngineKind.SslStream);
                if (engine == EngineKind.EventLoop && OpenSslLibrary.Probe(out _) is not null)
                {
                    all.Add(engine, TlsEngineKind.OpenSsl);
                }
            }

            return all;
        }
    }
}
