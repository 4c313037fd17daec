using System.Text.Json;
using KestrelStream.Preread;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>Names of the ends of preread and of what was wrong with a hello, as metrics show them: <c>closed_early</c>.</summary>
internal static class PrereadResults
{
    private static readonly string[] s_names = NamesOf<PrereadResult>();
    private static readonly string[] s_errors = NamesOf<ClientHelloError>();

    public static int Count => s_names.Length;

    public static int ErrorCount => s_errors.Length;

    public static string NameOf(int result) => s_names[result];

    public static string NameOfError(int error) => s_errors[error];

    /// <param name="session">Whose preread has ended.</param>
    /// <param name="outcome">How.</param>
    /// <param name="isRouted">A route was found.</param>
    public static PrereadResult Of(StreamSession session, PrereadOutcome outcome, bool isRouted) => outcome switch
    {
        PrereadOutcome.Gone => session.Preread is { Length: > 0 } ? PrereadResult.ClosedEarly : PrereadResult.Empty,
        PrereadOutcome.Late => PrereadResult.Late,
        PrereadOutcome.TooLarge => PrereadResult.TooLarge,
        PrereadOutcome.Malformed => PrereadResult.Malformed,
        PrereadOutcome.OverBudget => PrereadResult.OverBudget,
        PrereadOutcome.Violation => PrereadResult.Violation,
        PrereadOutcome.Ended => PrereadResult.Ended,
        _ when !isRouted => PrereadResult.NoRoute,
        PrereadOutcome.Hello => PrereadResult.Hello,
        PrereadOutcome.NotTls => PrereadResult.NotTls,
        _ => PrereadResult.Silence,
    };

    private static string[] NamesOf<T>()
        where T : struct, Enum
        => [.. Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
}
