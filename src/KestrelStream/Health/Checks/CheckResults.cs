namespace KestrelStream.Health.Checks;

/// <summary>Names of the ends of a check, as log, metric and API show them.</summary>
internal static class CheckResults
{
    private static readonly string[] Names = [.. Enum.GetNames<CheckResult>().Select(name => name.ToLowerInvariant())];

    public static int Count => Names.Length;

    public static string NameOf(CheckResult result) => Names[(int)result];
}
