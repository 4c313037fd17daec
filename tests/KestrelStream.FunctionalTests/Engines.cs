using KestrelStream.Configuration;
using KestrelStream.Transport;
using Xunit;

namespace KestrelStream.FunctionalTests;

/// <summary>Every engine that this machine can run: behaviour is the same on all.</summary>
public static class Engines
{
    public static TheoryData<EngineKind> All => [.. new[] { EngineKind.Sockets, EngineKind.EventLoop }.Where(EngineSelector.IsSupported)];
}
