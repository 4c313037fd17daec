using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>Names of the end reasons, as log, metric and API show them.</summary>
internal static class SessionEndReasons
{
    private static readonly string[] Names = Enum.GetNames<SessionEndReason>();

    public static int Count => Names.Length;

    /// <summary>Unlike ToString it looks nothing up.</summary>
    public static string NameOf(SessionEndReason reason) => Names[(int)reason];
}
