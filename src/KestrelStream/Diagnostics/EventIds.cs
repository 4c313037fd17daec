namespace KestrelStream.Diagnostics;

/// <summary>Numbers of log events. Public surface: never reuse one.</summary>
internal static class EventIds
{
    // 1xx: start, reload, stop
    public const int ConfigApplied = 100;
    public const int ConfigRejected = 101;
    public const int ConfigErrorFound = 102;
    public const int ListenerBound = 103;
    public const int ListenerRemoved = 104;
    public const int DrainStarted = 105;
    public const int DrainEnded = 106;
    public const int EngineChosen = 107;
    public const int RestartNeeded = 108;
    public const int DescriptorLimits = 109;
    public const int EngineFallback = 110;
    public const int ServerStarted = 111;
    public const int SecondStop = 112;

    // 2xx: accept and session
    public const int AcceptPaused = 200;
    public const int AcceptFailed = 201;
    public const int SessionFailed = 202;
    public const int SessionEnded = 203;
    public const int LoopFailed = 204;
    public const int ProxyHeaderRefused = 205;
    public const int ProxyHeaderUntrusted = 206;
    public const int AccessRulesReloaded = 220;
    public const int AccessRulesRefused = 221;
    public const int AccessWatchFailed = 222;
    public const int AccessDenied = 223;
    public const int LimitReached = 224;

    // 3xx: TLS and certificates
    public const int HandshakeFailed = 300;
    public const int CertificateLoaded = 301;
    public const int CertificateReloaded = 302;
    public const int CertificateRefused = 303;
    public const int CertificateNotValid = 304;
    public const int CertificateWatchFailed = 305;
    public const int OpenSslChosen = 306;
    public const int TlsEngineFallback = 307;
    public const int CertificateFolderLoaded = 310;
    public const int CertificateOverlap = 311;
    public const int CertificateRemoved = 312;
    public const int CertificateLeftOut = 313;
    public const int CertificateFolderUnreadable = 314;
    public const int TicketKeysSwapped = 320;
    public const int TicketKeysRefused = 321;
    public const int TicketKeysOpenToAll = 322;
    public const int OcspFetched = 330;
    public const int OcspFailed = 331;
    public const int OcspBroken = 332;
    public const int OcspMissing = 333;
    public const int ClientRefusedByOcsp = 334;
    public const int ClientWithoutOcsp = 335;

    // 34x: certificates by ACME
    public const int CertificateMissing = 340;
    public const int AcmeOrderStarted = 341;
    public const int AcmeIssued = 342;
    public const int AcmeFailed = 343;
    public const int AcmeAccountCreated = 344;
    public const int AcmeRenewalPlanned = 345;
    public const int AcmeBroken = 346;
    public const int HttpChallengeBound = 347;
    public const int HttpChallengeNotBound = 348;

    // 4xx: pools, dialing, name resolution
    public const int DialFailed = 400;
    public const int DestinationOut = 401;
    public const int DestinationBack = 402;
    public const int NameDoesNotResolve = 403;
    public const int NameResolves = 404;
    public const int DestinationDown = 405;
    public const int DestinationUp = 406;
    public const int DestinationChecked = 407;
    public const int CheckFailed = 408;
    public const int WarmDialFailed = 409;
    public const int WarmDialBroken = 410;
    public const int WarmSpeaksFirst = 411;
    public const int MemberAdded = 412;
    public const int MemberRemoved = 413;
    public const int NameNotCovered = 414;
    public const int UpstreamCertificateRefused = 415;
    public const int DestinationDrained = 420;
    public const int ChangeDropped = 421;

    // 5xx: access log, metrics, admin
    public const int AccessLogDropped = 500;
    public const int AccessLogNotRotated = 501;
    public const int AccessLogOn = 502;
    public const int OperatorChange = 510;
    public const int ChangeDenied = 511;
    public const int WeakToken = 512;
    public const int AdminExposed = 513;
}
