using System.Numerics;
using System.Runtime.CompilerServices;

namespace KestrelStream.Limits;

/// <summary>A part of <see cref="ClientTable"/>: a hash table whose entries lie in one array. Grows with its clients, and is bounded. Used under its own lock.</summary>
/// <remarks>
/// Who has nothing on account is forgotten by a hand that goes round: a few entries with each new client, all of them when the table's sweep comes by.
/// </remarks>
internal sealed class ClientStripe
{
    private const int SmallestCapacity = 16;

    /// <summary>Looked at for each new client. Two would do for the hand to be faster than the clients.</summary>
    private const int LooksPerClient = 4;

    private ClientEntry[] _entries = [];
    private int[] _buckets = [];
    private int _used;
    private int _free = -1;
    private int _hand;

    public int Count { get; private set; }

    public int Capacity => _entries.Length;

    /// <summary>The client's entry; it is made when there is none. Null reference = the stripe is full of clients that have sessions.</summary>
    public ref ClientEntry Find(in ClientKey key, int hash, int maxCount, long now)
    {
        ref var known = ref TryFind(key, hash);
        if (!Unsafe.IsNullRef(ref known))
        {
            return ref known;
        }

        Forget(LooksPerClient, now);
        if (Count >= maxCount && !TryEvict())
        {
            return ref Unsafe.NullRef<ClientEntry>();
        }

        var index = TakeFree();
        ref var entry = ref _entries[index];
        ref var bucket = ref BucketOf(hash);
        entry = new ClientEntry { Key = key, Next = bucket, SessionsFull = long.MinValue, HandshakesFull = long.MinValue };
        bucket = index;
        Count++;
        return ref entry;
    }

    /// <summary>A null reference when it is not there.</summary>
    public ref ClientEntry TryFind(in ClientKey key, int hash)
    {
        if (_buckets.Length > 0)
        {
            for (var index = BucketOf(hash); index >= 0; index = _entries[index].Next)
            {
                if (_entries[index].Key == key)
                {
                    return ref _entries[index];
                }
            }
        }

        return ref Unsafe.NullRef<ClientEntry>();
    }

    /// <summary>Forgets who has nothing on account, and gives memory back that is not needed any more.</summary>
    public void Sweep(long now)
    {
        Forget(_used, now);
        if (Count == 0)
        {
            (_entries, _buckets, _used, _free, _hand) = ([], [], 0, -1, 0);
        }
        else if (_entries.Length > SmallestCapacity && Count < _entries.Length / 8)
        {
            Resize(Math.Max(SmallestCapacity, (int)BitOperations.RoundUpToPowerOf2((uint)Count * 2)));
        }
    }

    private void Forget(int looks, long now)
    {
        for (looks = Math.Min(looks, _used); looks > 0; looks--)
        {
            if (_hand >= _used)
            {
                _hand = 0;
            }

            ref var entry = ref _entries[_hand];
            if (entry.Sessions >= 0 && entry.IsForgettable(now))
            {
                Remove(_hand);
            }

            _hand++;
        }
    }

    /// <summary>Gives up somebody without a session. What was on account is lost, which one who comes from many addresses can bring about; that is why the bound is high.</summary>
    private bool TryEvict()
    {
        for (var looks = _used; looks > 0; looks--)
        {
            if (_hand >= _used)
            {
                _hand = 0;
            }

            if (_entries[_hand].Sessions == 0)
            {
                Remove(_hand++);
                return true;
            }

            _hand++;
        }

        return false;
    }

    private void Remove(int index)
    {
        ref var entry = ref _entries[index];
        ref var link = ref BucketOf(entry.Key.GetHashCode());
        while (link != index)
        {
            link = ref _entries[link].Next;
        }

        link = entry.Next;
        entry.Sessions = -1;
        entry.Next = _free;
        _free = index;
        Count--;
    }

    private int TakeFree()
    {
        if (_free >= 0)
        {
            var index = _free;
            _free = _entries[index].Next;
            return index;
        }

        if (_used == _entries.Length)
        {
            Resize(Math.Max(SmallestCapacity, _entries.Length * 2));
        }

        return _used++;
    }

    /// <summary>Moves every client to new arrays, close together.</summary>
    private void Resize(int capacity)
    {
        var (old, used) = (_entries, _used);
        _entries = new ClientEntry[capacity];
        _buckets = new int[capacity];
        _buckets.AsSpan().Fill(-1);
        (_used, _free, _hand) = (0, -1, 0);
        foreach (ref readonly var entry in old.AsSpan(0, used))
        {
            if (entry.Sessions >= 0)
            {
                ref var bucket = ref BucketOf(entry.Key.GetHashCode());
                _entries[_used] = entry;
                _entries[_used].Next = bucket;
                bucket = _used++;
            }
        }
    }

    // The low bits have chosen the stripe.
    private ref int BucketOf(int hash) => ref _buckets[(hash >>> ClientTable.StripeBits) & (_buckets.Length - 1)];
}
