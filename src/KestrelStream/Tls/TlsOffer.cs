using System.Net.Security;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>
/// What clients get under one policy that ask for a name: certificates, and what the TLS library makes of them. Made for the first such client and given back when
/// others are wanted more: see <see cref="TlsOffers"/>. Thread-safe.
/// </summary>
internal sealed class TlsOffer
{
    // Finer would be a write to shared memory with every session.
    private const int UseShift = 10;

    private readonly Lazy<SslServerAuthenticationOptions> _options;
    private readonly Lazy<OpenSslContext> _context;
    private long _lastUse;

    /// <param name="pair">Its certificates.</param>
    /// <param name="options">Makes what SslStream needs.</param>
    /// <param name="context">Makes what OpenSSL needs.</param>
    public TlsOffer(CertificatePair pair, Func<SslServerAuthenticationOptions> options, Func<OpenSslContext> context)
    {
        Pair = pair;
        _options = new Lazy<SslServerAuthenticationOptions>(options);
        _context = new Lazy<OpenSslContext>(context);
        Use();
    }

    public CertificatePair Pair { get; }

    public SslServerAuthenticationOptions Options => _options.Value;

    public OpenSslContext Context => _context.Value;

    /// <summary>When it was chosen last, about a second fine.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    public void Use()
    {
        var now = Environment.TickCount64 >> UseShift;
        if (Volatile.Read(ref _lastUse) != now)
        {
            Volatile.Write(ref _lastUse, now);
        }
    }

    /// <summary>Gives native memory back now, which no garbage collector knows of. Who chose it just before can use it all the same.</summary>
    public void Release()
    {
        if (_context.IsValueCreated)
        {
            _context.Value.Release();
        }
    }
}
