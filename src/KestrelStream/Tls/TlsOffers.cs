using System.Collections.Concurrent;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>
/// The offers of a policy that clients have asked for. Its keys are certificates of the configuration, never what clients send; and over all policies of the process
/// there are only so many at once, so that a client who asks for ten thousand names does not make ten thousand of them stay. Thread-safe.
/// </summary>
/// <param name="make">Makes an offer; it is cheap until it is used.</param>
internal sealed class TlsOffers(Func<CertificatePair, TlsOffer> make)
{
    /// <summary>Of all offers together; each has an <c>SSL_CTX</c> a loop, some 40 KB.</summary>
    private const int MaxContexts = 4096;

    private static readonly Lock s_gate = new();

    // Weak: what a policy that is gone has offered goes with it.
    private static readonly List<(WeakReference<TlsOffers> Owner, WeakReference<TlsOffer> Offer)> s_all = [];

    private readonly ConcurrentDictionary<CertificatePair, TlsOffer> _offers = new();
    private CertificateNames? _names;

    /// <summary>Most at once in the process.</summary>
    public static int Most { get; } = Math.Max(64, MaxContexts / Math.Min(Environment.ProcessorCount, OpenSslScope.Count));

    public int Count => _offers.Count;

    /// <param name="pair">Of <paramref name="names"/>.</param>
    /// <param name="names">Those in force.</param>
    public TlsOffer Get(CertificatePair pair, CertificateNames names)
    {
        if (_offers.TryGetValue(pair, out var offer))
        {
            offer.Use();
            return offer;
        }

        var removed = new List<TlsOffer>();
        lock (s_gate)
        {
            if (_offers.TryGetValue(pair, out offer))
            {
                return offer;
            }

            if (_names != names)
            {
                // Nobody asks any more for what was made of certificates that were swapped.
                _names = names;
                removed.AddRange(_offers.Where(known => !names.Has(known.Key)).Select(known => known.Value));
                removed.ForEach(stale => _offers.TryRemove(stale.Pair, out _));
            }

            if (s_all.Count >= Most)
            {
                MakeRoom(removed);
            }

            offer = make(pair);
            _offers[pair] = offer;
            s_all.Add((new WeakReference<TlsOffers>(this), new WeakReference<TlsOffer>(offer)));
        }

        if (removed.Count > 0)
        {
            // Not here, on a loop: there may be hundreds.
            ThreadPool.UnsafeQueueUserWorkItem(static offers => offers.ForEach(offer => offer.Release()), removed, preferLocal: false);
        }

        return offer;
    }

    private static bool IsHeld((WeakReference<TlsOffers> Owner, WeakReference<TlsOffer> Offer) known)
        => known.Owner.TryGetTarget(out var owner) && known.Offer.TryGetTarget(out var offer) && owner._offers.GetValueOrDefault(offer.Pair) == offer;

    private static void MakeRoom(List<TlsOffer> removed)
    {
        s_all.RemoveAll(known => !IsHeld(known));
        if (s_all.Count < Most)
        {
            return;
        }

        // The sixteenth that was not used for longest; the clock is coarse, so that many may have the same time.
        var count = Math.Max(1, Most / 16);
        var uses = s_all.ConvertAll(known => known.Offer.TryGetTarget(out var offer) ? offer.LastUse : 0);
        uses.Sort();
        var last = uses[count - 1];
        s_all.RemoveAll(known =>
        {
            if (count == 0 || !known.Owner.TryGetTarget(out var owner) || !known.Offer.TryGetTarget(out var offer) || offer.LastUse > last)
            {
                return false;
            }

            count--;
            owner._offers.TryRemove(offer.Pair, out _);
            removed.Add(offer);
            return true;
        });
    }
}
