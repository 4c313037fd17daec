namespace KestrelStream.Limits;

/// <summary>Label values of <see cref="LimitKind"/>. Public surface.</summary>
internal static class LimitKinds
{
    private static readonly string[] s_names =
        ["sessions", "client_sessions", "session_rate", "client_session_rate", "handshake_rate", "client_handshake_rate", "clients"];

    public static int Count => s_names.Length;

    public static string NameOf(LimitKind kind) => s_names[(int)kind];
}
