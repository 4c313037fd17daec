namespace KestrelStream.Limits;

/// <summary>Label values of <see cref="LimitOutcome"/>. Public surface.</summary>
internal static class LimitOutcomes
{
    private static readonly string[] s_names = ["refused", "delayed", "dropped"];

    public static int Count => s_names.Length;

    public static string NameOf(LimitOutcome outcome) => s_names[(int)outcome];
}
