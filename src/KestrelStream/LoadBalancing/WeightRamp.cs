using KestrelStream.Model;

namespace KestrelStream.LoadBalancing;

/// <summary>
/// Slow start: the share of its weight that each member of a group has after its return, from next to nothing to all of it. Written under the
/// cluster's lock; shares are read from any thread. Allocates nothing where there is no slow start.
/// </summary>
/// <remarks>
/// Policies that compare loads divide by weights that are kept up to date here. Turns and draws go by whole numbers, which may be as small as 1:
/// they choose as without a ramp, and a member lets its share of the choices pass.
/// </remarks>
internal sealed class WeightRamp
{
    /// <summary>Never nothing: a member without any sessions would not be known to be well.</summary>
    private const float Least = 1 / 64f;

    /// <summary>A ramp is a stair of as many steps.</summary>
    private const int Steps = 128;

    private readonly DestinationState[] _members;
    private readonly int[] _weights;
    private readonly float[] _divisors;
    private readonly float[] _shares;
    private readonly float[] _credits;
    private readonly long _duration;
    private long _updated;
    private float _turnFactor = 1;
    private volatile bool _isActive;

    /// <param name="members">Of the group.</param>
    /// <param name="weights">Of each, as configured.</param>
    /// <param name="divisors">Of each, as they are now.</param>
    /// <param name="duration">In units of the clock's timestamps; 0 = no slow start.</param>
    public WeightRamp(DestinationState[] members, int[] weights, float[] divisors, long duration)
    {
        _members = members;
        _weights = weights;
        _divisors = divisors;
        _duration = duration;
        _shares = duration > 0 ? new float[members.Length] : [];
        _credits = duration > 0 ? new float[members.Length] : [];
        Array.Fill(_shares, 1);
    }

    /// <summary>Some member has less than its weight.</summary>
    public bool IsActive => _isActive;

    /// <summary>Of its weight: 1 = all.</summary>
    public float Share(int member) => _isActive ? Volatile.Read(ref _shares[member]) : 1;

    /// <summary>Under the lock: a member has returned.</summary>
    public void Begin(int member, long now)
    {
        if (_duration > 0)
        {
            _members[member].Returned = now;
            Update(now);
        }
    }

    /// <summary>Whether the shares have to be looked at again.</summary>
    public bool IsDue(long now) => now - Volatile.Read(ref _updated) >= Math.Max(1, _duration / Steps);

    /// <summary>Under the lock: gives every member the share of this moment.</summary>
    public void Update(long now)
    {
        var isActive = false;
        var (weights, parts) = (0.0, 0.0);
        for (var i = 0; i < _shares.Length; i++)
        {
            var share = 1f;
            if (_members[i].Returned is { } returned)
            {
                share = Math.Clamp((float)((now - returned) / (double)_duration), Least, 1);
                _members[i].Returned = share < 1 ? returned : null;
            }

            Volatile.Write(ref _shares[i], share);
            Volatile.Write(ref _divisors[i], _weights[i] * share);
            isActive |= share < 1;
            weights += _weights[i];
            parts += _weights[i] * share;
        }

        // What one lets pass goes to all of them, itself included: so it lets a little less pass.
        _turnFactor = parts > 0 ? (float)(weights / parts) : 1;
        Volatile.Write(ref _updated, now);
        _isActive = isActive;
    }

    /// <summary>Under the lock: whether a member takes the turn it was given. It takes its share of them, evenly spread.</summary>
    public bool TakesTurn(int member)
    {
        var share = _shares[member] * _turnFactor;
        if (share >= 1)
        {
            return true;
        }

        _credits[member] += share;
        if (_credits[member] < 1)
        {
            return false;
        }

        _credits[member]--;
        return true;
    }
}
