using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Why a certificate cannot be used, or should not.</summary>
/// <param name="Id">Of the certificate.</param>
/// <param name="Key">The key of <see cref="CertificateConfig"/> that is to blame.</param>
/// <param name="Message">Names the file and says what is wrong with it. Never holds the password.</param>
internal sealed record CertificateError(string Id, string Key, string Message)
{
    /// <summary>The file has a certificate or a key but not both: in a folder it is an authority's, or waits for its other half.</summary>
    public bool IsHalf { get; init; }

    /// <summary>The path of the configuration that is to blame.</summary>
    public string ConfigPath => $"StreamProxy:Certificates:{Id}:{Key}";
}
