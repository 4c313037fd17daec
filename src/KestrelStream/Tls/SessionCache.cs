using System.Security.Cryptography;

namespace KestrelStream.Tls;

/// <summary>
/// Sessions that are kept here for clients without tickets, as the TLS library has serialised them, by their ids: for all loops, so that it does not matter which one
/// a client meets again. Bounded; the oldest goes first. Thread-safe.
/// </summary>
/// <remarks>Who puts a session in or takes it out waits for nobody longer than a lookup takes. How old a session may be is for the TLS library to say.</remarks>
internal sealed class SessionCache(int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, LinkedListNode<(UInt128 Key, byte[] Session)>> _sessions = [];

    // Oldest first.
    private readonly LinkedList<(UInt128 Key, byte[] Session)> _order = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <param name="id">Random bytes of ours.</param>
    /// <param name="session">Holds secrets; owned by the cache from now on.</param>
    public void Add(ReadOnlySpan<byte> id, byte[] session)
    {
        var key = KeyOf(id);
        lock (_gate)
        {
            Remove(key);
            _sessions[key] = _order.AddLast((key, session));
            if (_sessions.Count > most)
            {
                Remove(_order.First!.Value.Key);
            }
        }
    }

    /// <summary>A copy; null = it is not here.</summary>
    public byte[]? Find(ReadOnlySpan<byte> id)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(KeyOf(id), out var node) ? node.Value.Session.AsSpan().ToArray() : null;
        }
    }

    public void Remove(ReadOnlySpan<byte> id)
    {
        var key = KeyOf(id);
        lock (_gate)
        {
            Remove(key);
        }
    }

    // Ids have 32 random bytes of ours; a client that asks for another one finds nothing, whatever it hits upon.
    private static UInt128 KeyOf(ReadOnlySpan<byte> id)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(id, digest);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }

    private void Remove(UInt128 key)
    {
        if (_sessions.Remove(key, out var node))
        {
            _order.Remove(node);
            CryptographicOperations.ZeroMemory(node.Value.Session);
        }
    }
}
