namespace KestrelStream.Configuration;

/// <summary>One step of a <see cref="HealthCheckKind.SendExpect"/> check: exactly one of the two is set.</summary>
public sealed record HealthCheckStep
{
    /// <summary>Text to send. Escapes: <c>\r</c> <c>\n</c> <c>\t</c> <c>\\</c> <c>\xNN</c>.</summary>
    public string? Send { get; init; }

    /// <summary>
    /// What must come: text with the same escapes, or <c>~</c> and a regular expression. A <c>!</c> before either turns it round:
    /// the next line must not have it.
    /// </summary>
    public string? Expect { get; init; }
}
