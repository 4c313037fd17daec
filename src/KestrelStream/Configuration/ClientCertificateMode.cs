namespace KestrelStream.Configuration;

/// <summary>What a route wants of its clients' certificates.</summary>
public enum ClientCertificateMode
{
    /// <summary>They are not asked for.</summary>
    None,

    /// <summary>Asked for. A client may come without one; one that it shows must be good.</summary>
    Allow,

    /// <summary>No session without a good one.</summary>
    Require,
}
