using KestrelStream.Configuration;

namespace KestrelStream.Tls.Ocsp;

/// <summary>Where a route's stapled answers come from. Immutable.</summary>
/// <param name="Stapler">Keeps them.</param>
/// <param name="Responder">Asked in place of what certificates name; null = they say.</param>
/// <param name="Files">Absolute paths with zeros between; empty = none.</param>
internal sealed record OcspSource(OcspStapler Stapler, string? Responder, string Files)
{
    /// <summary>Null = the route staples nothing.</summary>
    public static OcspSource? Of(RouteTlsConfig tls, OcspStapler stapler, string basePath)
        => tls.OcspStapling ? new(stapler, tls.OcspResponder, string.Join('\0', tls.OcspFiles.Select(file => Path.GetFullPath(file, basePath)))) : null;

    public OcspStaple StapleOf(CertificateEntry certificate) => Stapler.StapleOf(this, certificate);
}
