using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>
/// The two letters that HAProxy's termination state would have for an end: who (C client, S server, P the proxy's rules, R a shortage of its own, I a defect, D
/// destination found dead, K an operator; small: by a timeout) and in which phase (R before a route, H handshake, Q queue, C dial, D relay, L half-closed).
/// Public surface.
/// </summary>
internal static class EndCodes
{
    // Those whose phase is not in the reason end with '?': how far the session got says it.
    private static readonly string[] s_codes = [.. Enum.GetValues<SessionEndReason>().Select(CodeOf)];

    private static readonly string[] s_statuses = [.. Enum.GetValues<SessionEndReason>().Select(StatusOf)];

    /// <param name="reason">Any but None.</param>
    /// <param name="hasRoute">A route was known.</param>
    /// <param name="hasDestination">It was connected with a destination.</param>
    public static string Of(SessionEndReason reason, bool hasRoute, bool hasDestination)
    {
        var code = s_codes[(int)reason];
        return code[1] != '?' ? code : (code[0], hasRoute, hasDestination) switch
        {
            ('C', true, _) => "CQ",
            ('C', _, _) => "CR",
            ('K', _, true) => "KD",
            ('K', true, _) => "KC",
            ('K', _, _) => "KR",
            ('R', true, _) => "RC",
            ('R', _, _) => "RR",
            ('I', _, true) => "ID",
            ('S', _, true) => "SD",
            ('S', _, _) => "SH",
            ('I', true, _) => "IC",
            ('I', _, _) => "IR",
            (_, _, true) => "PD",
            _ => "PC",
        };
    }

    /// <summary>The number that nginx's <c>$status</c> would have.</summary>
    public static string StatusOfReason(SessionEndReason reason) => s_statuses[(int)reason];

    private static string CodeOf(SessionEndReason reason) => reason switch
    {
        SessionEndReason.Completed or SessionEndReason.ChallengeAnswered => "--",
        SessionEndReason.ClientReset => "CD",
        SessionEndReason.UpstreamReset => "SD",
        SessionEndReason.ClientGone => "C?",
        SessionEndReason.ConnectionLimit => "RR",
        SessionEndReason.LimitExceeded => "R?",
        SessionEndReason.ProxyHeaderTimeout or SessionEndReason.PrereadTimeout => "cR",
        SessionEndReason.AccessDenied or SessionEndReason.ProxyHeaderMalformed or SessionEndReason.PrereadTooLarge
            or SessionEndReason.PrereadMalformed or SessionEndReason.NoRoute or SessionEndReason.Rejected => "PR",
        SessionEndReason.ClientTlsFailed => "CH",
        SessionEndReason.ClientTlsTimeout => "cH",
        SessionEndReason.ProtocolViolation => "PH",
        SessionEndReason.NoDestination or SessionEndReason.ConnectRefused => "SC",
        SessionEndReason.ConnectTimeout => "sC",
        SessionEndReason.QueueFull => "RQ",
        SessionEndReason.QueueTimeout => "sQ",
        SessionEndReason.UpstreamTlsFailed => "S?",
        SessionEndReason.IdleTimeout => "cD",
        SessionEndReason.HalfCloseTimeout => "cL",
        SessionEndReason.LifetimeExceeded => "P?",
        SessionEndReason.DestinationDown => "DD",
        SessionEndReason.ClosedByOperator or SessionEndReason.DrainTimeout => "K?",
        SessionEndReason.InternalError => "I?",

        // None, and a reason that nobody has given a code, which a test finds.
        _ => "..",
    };

    private static string StatusOf(SessionEndReason reason) => reason switch
    {
        SessionEndReason.None => "000",
        SessionEndReason.AccessDenied or SessionEndReason.Rejected => "403",
        SessionEndReason.ProxyHeaderMalformed or SessionEndReason.ProxyHeaderTimeout or SessionEndReason.PrereadTimeout
            or SessionEndReason.PrereadTooLarge or SessionEndReason.PrereadMalformed or SessionEndReason.ClientGone => "400",
        SessionEndReason.ClientTlsFailed or SessionEndReason.ClientTlsTimeout or SessionEndReason.ProtocolViolation
            or SessionEndReason.NoRoute or SessionEndReason.InternalError => "500",
        SessionEndReason.NoDestination or SessionEndReason.ConnectRefused or SessionEndReason.ConnectTimeout or SessionEndReason.QueueTimeout
            or SessionEndReason.UpstreamTlsFailed => "502",
        SessionEndReason.ConnectionLimit or SessionEndReason.LimitExceeded or SessionEndReason.QueueFull => "503",
        _ => "200",
    };
}
