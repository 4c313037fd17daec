using KestrelStream.Acme.Documents;

namespace KestrelStream.Acme.Protocol;

/// <summary>Why something was not got. A value, as all that an authority does is.</summary>
/// <param name="Message">For people; safe to log.</param>
/// <param name="Type">Of the authority's problem document; null = it is not an answer of the authority's.</param>
/// <param name="IsRefusal">The authority itself says that it will not do it, and would say so again.</param>
/// <param name="RetryAfter">How long the authority wants to be left alone; null = it has not said.</param>
internal sealed record AcmeFailure(string Message, string? Type = null, bool IsRefusal = false, TimeSpan? RetryAfter = null)
{
    public static AcmeFailure Of(string what, ProblemDocument? problem, bool isRefusal = true, TimeSpan? retryAfter = null)
        => new($"{what}: {problem?.ToString() ?? "no reason given"}", problem?.Type, isRefusal, retryAfter);
}
