using System.Security.Cryptography;

namespace KestrelStream.Tls.Tickets;

/// <summary>Secrets that are made here, change by the clock and are forgotten. Turned by one thread at a time.</summary>
internal sealed class RotatingTicketKeys : TicketKeyRing
{
    private const int SecretBytes = 48;

    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _lifetime;

    // Newest first. One has been replaced when the one before it was born.
    private readonly List<(byte[] Secret, long Born)> _keys;

    /// <param name="time">Says when.</param>
    /// <param name="interval">For how long one encrypts.</param>
    /// <param name="lifetime">For how long it opens tickets after that: as long as they can be used.</param>
    public RotatingTicketKeys(TimeProvider time, TimeSpan interval, TimeSpan lifetime)
        : base(new TicketKeySet([RandomNumberGenerator.GetBytes(SecretBytes)]))
    {
        _time = time;
        _interval = interval;
        _lifetime = lifetime;
        _keys = [(Current.Secrets[0], time.GetTimestamp())];
    }

    /// <summary>Makes and forgets what is due.</summary>
    public void Turn()
    {
        var now = _time.GetTimestamp();
        var isDue = _time.GetElapsedTime(_keys[0].Born, now) >= _interval;
        if (isDue)
        {
            _keys.Insert(0, (RandomNumberGenerator.GetBytes(SecretBytes), now));
        }

        var forgotten = 0;
        while (_keys.Count > 1 && _time.GetElapsedTime(_keys[^2].Born, now) > _lifetime)
        {
            _keys.RemoveAt(_keys.Count - 1);
            forgotten++;
        }

        if (isDue || forgotten > 0)
        {
            Current = new TicketKeySet([.. _keys.Select(key => key.Secret)]);
        }
    }
}
