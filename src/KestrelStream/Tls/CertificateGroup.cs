using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// The certificates that a route names, over their changes; routes that name the same share one. The store renews <see cref="Names"/> where it takes a new
/// certificate, so that no handshake waits for it. Thread-safe.
/// </summary>
internal sealed class CertificateGroup
{
    private volatile CertificateNames _names;

    /// <param name="states">In the route's order.</param>
    /// <param name="unknownName">What is done with clients whose name no certificate has.</param>
    public CertificateGroup(CertificateState[] states, UnknownName unknownName)
    {
        States = states;
        UnknownName = unknownName;
        _names = Build(previous: null);
    }

    public IReadOnlyList<CertificateState> States { get; }

    public UnknownName UnknownName { get; }

    public CertificateNames Names => _names;

    /// <summary>Where the configuration does not say: of a folder there is no first certificate.</summary>
    public static UnknownName DefaultOf(CertificateState first) => first.Folder is null ? UnknownName.Default : UnknownName.Reject;

    public void Renew() => _names = Build(_names);

    private CertificateNames Build(CertificateNames? previous)
    {
        // What is still to come from ACME comes behind what is there, wherever it stands in the list.
        var lists = States.Where(state => !state.IsAwaited).Select(state => state.Entries);
        return new([.. lists], [.. States.Where(state => state.IsAwaited)], hasDefault: UnknownName == UnknownName.Default, previous);
    }
}
