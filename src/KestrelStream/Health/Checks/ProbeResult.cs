namespace KestrelStream.Health.Checks;

/// <summary>What a probe found.</summary>
/// <param name="Result">Healthy, or the layer that failed.</param>
/// <param name="Detail">Escaped already: see <see cref="EscapedText.Show"/>.</param>
internal readonly record struct ProbeResult(CheckResult Result, string Detail)
{
    public static ProbeResult Healthy(ReadOnlySpan<byte> said) => new(CheckResult.Healthy, EscapedText.Show(said));

    /// <summary>The peer said something else than was expected, in whole or in part.</summary>
    public static ProbeResult Unexpected(string problem, ReadOnlySpan<byte> said)
        => new(CheckResult.Protocol, said.IsEmpty ? problem : $"{problem}: {EscapedText.Show(said)}");
}
