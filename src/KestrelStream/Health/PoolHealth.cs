namespace KestrelStream.Health;

/// <summary>
/// How many destinations of one cluster are out or down, primaries and backups together, and what follows from it. Those that an operator has
/// taken out of service are not among them: that they are missing is no illness. Written under the cluster's lock, read from any thread.
/// </summary>
/// <param name="total">All destinations that are in service.</param>
/// <param name="maxOut">Most of them that passive checks may take out.</param>
/// <param name="panicThreshold">Percent of them that must be up; below it health is ignored.</param>
internal sealed class PoolHealth(int total, int maxOut, int panicThreshold)
{
    private int _out;
    private int _notUp;

    /// <summary>Passive checks may take one more out.</summary>
    public bool MayEject => _out < maxOut;

    /// <summary>So few are up that they would be run over: health is ignored.</summary>
    public bool IsPanic => panicThreshold > 0 && (total - Volatile.Read(ref _notUp)) * 100L < (long)panicThreshold * total;

    /// <summary>Passive checks have taken one out, or put it back.</summary>
    public void CountOut(bool isOut) => _out += isOut ? 1 : -1;

    /// <summary>One is no longer up, by passive or by active checks, or is up again by both.</summary>
    public void CountUp(bool isUp) => Volatile.Write(ref _notUp, _notUp + (isUp ? -1 : 1));
}
