using System.Security.Cryptography;
using KestrelStream.Tls.Tickets;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// The keys of one policy's tickets, made from secrets that policies may share: without the policy's own fingerprint they open nothing, in this process or in
/// another. Immutable; thread-safe.
/// </summary>
internal sealed unsafe class TicketSecrets
{
    public const int NameBytes = 16;
    public const int MacKeyBytes = 32;

    /// <summary>Of AES-256.</summary>
    private const int CipherKeyBytes = 32;

    private const int KeyBytes = NameBytes + MacKeyBytes + CipherKeyBytes;

    // Pinned: OpenSSL is given pointers into it.
    private readonly byte[] _keys;

    private TicketSecrets(TicketKeySet source, byte[] keys)
    {
        Source = source;
        _keys = keys;
    }

    /// <summary>What they were made from.</summary>
    public TicketKeySet Source { get; }

    /// <param name="source">The secrets.</param>
    /// <param name="fingerprint">Of policy and certificates: equal ones, in whatever process, open each other's tickets.</param>
    public static TicketSecrets Derive(TicketKeySet source, byte[] fingerprint)
    {
        var keys = GC.AllocateArray<byte>(source.Secrets.Count * KeyBytes, pinned: true);
        ReadOnlySpan<byte> info = [.. "KestrelStream session ticket 1\0"u8, .. fingerprint];
        for (var i = 0; i < source.Secrets.Count; i++)
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, source.Secrets[i], keys.AsSpan(i * KeyBytes, KeyBytes), salt: [], info);
        }

        return new TicketSecrets(source, keys);
    }

    /// <summary>Less than 0 = none of ours. 0 = the one that encrypts.</summary>
    public int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = _keys.Length / KeyBytes - 1; i >= 0; i--)
        {
            if (name.SequenceEqual(_keys.AsSpan(i * KeyBytes, NameBytes)))
            {
                return i;
            }
        }

        return -1;
    }

    public ReadOnlySpan<byte> NameOf(int index) => _keys.AsSpan(index * KeyBytes, NameBytes);

    public byte* MacKeyOf(int index) => Start(index) + NameBytes;

    public byte* CipherKeyOf(int index) => Start(index) + NameBytes + MacKeyBytes;

    private byte* Start(int index) => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _keys[index * KeyBytes]);
}
