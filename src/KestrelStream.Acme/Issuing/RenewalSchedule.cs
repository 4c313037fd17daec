using KestrelStream.Acme.Documents;

namespace KestrelStream.Acme.Issuing;

/// <summary>When a certificate is renewed. Pure.</summary>
internal static class RenewalSchedule
{
    /// <summary>Of a life, before which chance may put a renewal, so that certificates of one day do not come back at one moment.</summary>
    private const double Jitter = 0.02;

    /// <param name="notBefore">Begin of the certificate's life.</param>
    /// <param name="notAfter">Its end.</param>
    /// <param name="renewBefore">What the configuration says; null = after two thirds.</param>
    /// <param name="random">0 to 1.</param>
    public static DateTimeOffset Planned(DateTimeOffset notBefore, DateTimeOffset notAfter, TimeSpan? renewBefore, double random)
    {
        var life = notAfter > notBefore ? notAfter - notBefore : TimeSpan.Zero;
        var before = renewBefore is { } asked ? (asked < life * 2 / 3 ? asked : life * 2 / 3) : life / 3;
        return notAfter - before - (life * Jitter * random);
    }

    /// <summary>How long a certificate is used at least, whatever an authority suggests or issues: it must not make us order without end.</summary>
    public static TimeSpan ShortestUse(TimeSpan life)
        => TimeSpan.FromTicks(Math.Clamp(life.Ticks / 6, TimeSpan.TicksPerSecond, TimeSpan.TicksPerDay));

    /// <summary>Any moment of the window that an authority suggests, as RFC 9773 §4.2 has it; null = it is none.</summary>
    public static DateTimeOffset? Within(RenewalWindow? window, double random)
        => window is { } w && w.End > w.Start && w.Start > DateTimeOffset.UnixEpoch ? w.Start + ((w.End - w.Start) * random) : null;
}
