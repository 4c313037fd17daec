namespace KestrelStream.Tls.Ocsp;

/// <summary>A verified answer about one certificate. Immutable.</summary>
/// <param name="Der">As it is stapled.</param>
/// <param name="Status">Never <see cref="OcspStatus.Failed"/>.</param>
/// <param name="ThisUpdate">When it was true.</param>
/// <param name="NextUpdate">Until when it may be believed; null = it does not say.</param>
internal sealed record OcspAnswer(byte[] Der, OcspStatus Status, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate);
