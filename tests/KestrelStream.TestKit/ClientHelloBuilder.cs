using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.TestKit;

/// <summary>
/// Writes ClientHellos, good and bad, as bytes. What is not set is as a plain TLS 1.2/1.3 client has it; extensions stand in the order
/// in which they were added. Every build of the same calls gives the same bytes. Not thread-safe.
/// </summary>
public sealed class ClientHelloBuilder
{
    public const ushort ServerNameExtension = 0;
    public const ushort GroupsExtension = 10;
    public const ushort SignatureAlgorithmsExtension = 13;
    public const ushort AlpnExtension = 16;
    public const ushort PaddingExtension = 21;
    public const ushort PreSharedKeyExtension = 41;
    public const ushort SupportedVersionsExtension = 43;
    public const ushort KeyShareExtension = 51;
    public const ushort EchExtension = 0xfe0d;

    public const int RecordHeaderLength = 5;
    public const int MessageHeaderLength = 4;

    private const int MaxFragmentLength = 1 << 14;

    private readonly List<(ushort Type, byte[] Content)> _extensions = [];
    private bool _hasExtensions = true;
    private ushort _legacyVersion = 0x0303;
    private byte[] _sessionId = Filler(32, 0x5e);
    private byte[] _cipherSuites = [0x13, 0x01, 0x13, 0x02, 0xc0, 0x2b, 0xc0, 0x2f];
    private byte[] _compressionMethods = [0];
    private byte[] _afterExtensions = [];
    private int? _extensionsLength;

    /// <summary>A hello as a browser of today sends it: GREASE, a post-quantum key share, ALPN h2 and http/1.1, GREASE ECH. About 1.8 kB.</summary>
    public static ClientHelloBuilder Browser(string serverName) => new ClientHelloBuilder()
        .WithExtension(0x4a4a, [])
        .WithServerName(serverName)
        .WithExtension(GroupsExtension, [0, 6, 0x1a, 0x1a, 0x11, 0xec, 0, 0x1d])
        .WithExtension(SignatureAlgorithmsExtension, [0, 4, 0x04, 0x03, 0x08, 0x04])
        .WithAlpn("h2", "http/1.1")
        .WithVersions(0x2a2a, 0x0304, 0x0303)
        .WithPostQuantumKeyShare()
        .WithExtension(EchExtension, Filler(186, 0))
        .WithExtension(0xdada, [0]);

    public ClientHelloBuilder WithLegacyVersion(ushort version)
    {
        _legacyVersion = version;
        return this;
    }

    public ClientHelloBuilder WithSessionId(params byte[] sessionId)
    {
        _sessionId = sessionId;
        return this;
    }

    public ClientHelloBuilder WithCipherSuites(params byte[] cipherSuites)
    {
        _cipherSuites = cipherSuites;
        return this;
    }

    public ClientHelloBuilder WithCompressionMethods(params byte[] methods)
    {
        _compressionMethods = methods;
        return this;
    }

    /// <summary>Leaves the extensions block out altogether, its length included.</summary>
    public ClientHelloBuilder WithoutExtensionBlock()
    {
        _hasExtensions = false;
        return this;
    }

    public ClientHelloBuilder WithExtension(ushort type, ReadOnlySpan<byte> content)
    {
        _extensions.Add((type, content.ToArray()));
        return this;
    }

    public ClientHelloBuilder WithServerName(string name) => WithServerName(Encoding.UTF8.GetBytes(name));

    /// <summary>Any bytes as the one host_name.</summary>
    public ClientHelloBuilder WithServerName(ReadOnlySpan<byte> name)
        => WithExtension(ServerNameExtension, Vector16([0, .. Vector16(name)]));

    public ClientHelloBuilder WithAlpn(params string[] protocols)
        => WithExtension(AlpnExtension, Vector16([.. protocols.SelectMany(p => Vector8(Encoding.UTF8.GetBytes(p)))]));

    /// <summary>supported_versions.</summary>
    public ClientHelloBuilder WithVersions(params ushort[] versions)
        => WithExtension(SupportedVersionsExtension, Vector8([.. versions.SelectMany(UInt16)]));

    /// <summary>X25519MLKEM768 (1,216 bytes) and X25519.</summary>
    public ClientHelloBuilder WithPostQuantumKeyShare() => WithExtension(
        KeyShareExtension,
        Vector16([0x11, 0xec, .. Vector16(Filler(1216, 0x9a)), 0, 0x1d, .. Vector16(Filler(32, 0x25))]));

    /// <summary>Adds a padding extension that makes the message, with its header, this long.</summary>
    public ClientHelloBuilder PaddedTo(int messageLength)
        => WithExtension(PaddingExtension, new byte[messageLength - BuildMessage().Length - (2 * sizeof(ushort))]);

    /// <summary>Writes this as the length of the extensions block, whatever it holds.</summary>
    public ClientHelloBuilder WithExtensionsLength(int length)
    {
        _extensionsLength = length;
        return this;
    }

    /// <summary>Puts bytes behind the extensions block, inside the message.</summary>
    public ClientHelloBuilder WithBytesAfterExtensions(params byte[] bytes)
    {
        _afterExtensions = bytes;
        return this;
    }

    /// <summary>The handshake message: type, three bytes of length, body.</summary>
    public byte[] BuildMessage()
    {
        byte[] extensions = [.. _extensions.SelectMany(e => (byte[])[.. UInt16(e.Type), .. Vector16(e.Content)])];
        byte[] body =
        [
            .. UInt16(_legacyVersion),
            .. Filler(32, 0xc1),
            .. Vector8(_sessionId),
            .. Vector16(_cipherSuites),
            .. Vector8(_compressionMethods),
            .. _hasExtensions ? [.. UInt16(checked((ushort)(_extensionsLength ?? extensions.Length))), .. extensions] : Array.Empty<byte>(),
            .. _afterExtensions,
        ];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    /// <summary>The message on the wire, in as few records as it takes.</summary>
    public byte[] Build() => Frame(BuildMessage());

    /// <summary>Puts bytes into handshake records that begin at the given offsets (and at 0), and wherever a record would get too long.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message, params ReadOnlySpan<int> offsets)
    {
        var wire = new List<byte>(message.Length + ((offsets.Length + 5) * RecordHeaderLength));
        var start = 0;
        foreach (var end in (ReadOnlySpan<int>)[.. offsets, message.Length])
        {
            while (start < end)
            {
                var fragment = message[start..Math.Min(end, start + MaxFragmentLength)];
                wire.AddRange(Record(fragment));
                start += fragment.Length;
            }
        }

        return [.. wire];
    }

    /// <summary>One record around any bytes.</summary>
    public static byte[] Record(ReadOnlySpan<byte> content, byte type = 0x16, ushort version = 0x0301)
        => [type, .. UInt16(version), .. Vector16(content)];

    private static byte[] Vector8(ReadOnlySpan<byte> content) => [checked((byte)content.Length), .. content];

    private static byte[] Vector16(ReadOnlySpan<byte> content) => [.. UInt16(checked((ushort)content.Length)), .. content];

    private static byte[] UInt16(ushort value)
    {
        var bytes = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Filler(int length, byte value)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }
}
