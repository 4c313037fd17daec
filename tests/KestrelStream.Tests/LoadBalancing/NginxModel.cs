namespace KestrelStream.Tests.LoadBalancing;

/// <summary>
/// The balancing of nginx's stream module, written down plainly from its description: one list of peers with a backup list behind
/// it. What the product does is compared with it, pick by pick.
/// </summary>
internal sealed class NginxModel(NginxModel.Peer[] primaries, NginxModel.Peer[] backups, TimeSpan failTimeout, int maxFails, bool leastConnections)
{
    private readonly bool _isSingle = primaries.Length + backups.Length == 1;

    public TimeSpan Now { get; set; }

    public Peer? Next(Session session)
    {
        if (!session.UsesBackups)
        {
            var peer = Pick(primaries, session);
            if (peer is not null || backups.Length == 0)
            {
                return peer;
            }

            session.UsesBackups = true;
            session.Tried.Clear();
        }

        return Pick(backups, session);
    }

    public void Failed(Peer peer)
    {
        peer.Conns--;
        if (_isSingle)
        {
            return;
        }

        peer.Fails++;
        peer.Accessed = Now;
        peer.Checked = Now;
        if (maxFails > 0)
        {
            peer.Effective = Math.Max(0, peer.Effective - (peer.Weight / maxFails));
        }
    }

    public static void Connected(Peer peer)
    {
        if (peer.Accessed < peer.Checked)
        {
            peer.Fails = 0;
        }
    }

    public static void Ended(Peer peer) => peer.Conns--;

    private Peer? Pick(Peer[] peers, Session session)
    {
        var eligible = peers.Where(peer =>
            peer.Weight > 0
            && !session.Tried.Contains(peer)
            && !(maxFails > 0 && peer.Fails >= maxFails && Now - peer.Checked <= failTimeout)
            && !(peer.MaxConns > 0 && peer.Conns >= peer.MaxConns)).ToList();

        if (leastConnections && eligible.Count > 0)
        {
            var least = eligible.Aggregate((a, b) => b.Conns * a.Weight < a.Conns * b.Weight ? b : a);
            eligible.RemoveAll(peer => peer.Conns * least.Weight != least.Conns * peer.Weight);
        }

        // nginx leaves the turns alone when least_conn has one candidate.
        var best = leastConnections && eligible.Count == 1 ? eligible[0] : TakeTurn(eligible);
        if (best is null)
        {
            return null;
        }

        if (Now - best.Checked > failTimeout)
        {
            best.Checked = Now;
        }

        session.Tried.Add(best);
        best.Conns++;
        return best;
    }

    private static Peer? TakeTurn(List<Peer> eligible)
    {
        Peer? best = null;
        var total = 0;
        foreach (var peer in eligible)
        {
            peer.Current += peer.Effective;
            total += peer.Effective;
            if (peer.Effective < peer.Weight)
            {
                peer.Effective++;
            }

            if (best is null || peer.Current > best.Current)
            {
                best = peer;
            }
        }

        if (best is not null)
        {
            best.Current -= total;
        }

        return best;
    }

    internal sealed class Session
    {
        public HashSet<Peer> Tried { get; } = [];

        public bool UsesBackups { get; set; }
    }

    internal sealed class Peer(string id, int weight, int maxConns)
    {
        public string Id => id;

        public int Weight { get; } = weight;

        public int MaxConns => maxConns;

        public int Effective { get; set; } = weight;

        public int Current { get; set; }

        public int Conns { get; set; }

        public int Fails { get; set; }

        public TimeSpan Accessed { get; set; }

        public TimeSpan Checked { get; set; }
    }
}
