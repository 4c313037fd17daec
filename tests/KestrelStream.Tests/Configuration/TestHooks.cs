using KestrelStream.Configuration;
using KestrelStream.Configuration.Validation;

namespace KestrelStream.Tests.Configuration;

/// <summary>What validation asks of other parts, answered without them.</summary>
internal static class TestHooks
{
    public static ValidationHooks Default { get; } = new(
        ["RoundRobin", "LeastConnections", "LeastLatency", "Random", "PowerOfTwoChoices", "ConsistentHash", "FirstAlphabetical"],
        ciphers => ciphers.Contains("BOGUS", StringComparison.Ordinal) ? "\"BOGUS\" is not a cipher word" : null,
        engine => engine != EngineKind.EventLoop,
        config => config.Tls.Engine == TlsEngineKind.OpenSsl,
        () => true,
        () => null,
        HasAcme: true);
}
