namespace KestrelStream.Preread;

/// <summary>End of a preread.</summary>
/// <param name="Outcome">What was found.</param>
/// <param name="Parser">With the hello's facts, or with what is wrong with it.</param>
internal readonly record struct PrereadResult(PrereadOutcome Outcome, ClientHelloParser Parser);
