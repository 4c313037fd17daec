namespace KestrelStream.Configuration;

/// <summary>Whether OCSP responders are asked about clients' certificates, and what their silence means.</summary>
public enum ClientOcspMode
{
    /// <summary>They are not asked.</summary>
    Off,

    /// <summary>A client whose certificate is revoked is refused; one about which nobody has an answer is taken, and counted.</summary>
    Soft,

    /// <summary>No session without the word that the certificate is good.</summary>
    Hard,
}
