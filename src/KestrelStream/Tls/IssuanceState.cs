namespace KestrelStream.Tls;

/// <summary>What a certificate source does about one certificate. Names are public surface: the API shows them.</summary>
internal enum IssuanceState
{
    /// <summary>An order runs, or is about to.</summary>
    Ordering,

    /// <summary>The certificate is good; its renewal is planned.</summary>
    Issued,

    /// <summary>The last attempt failed; the next one is planned.</summary>
    BackingOff,
}
