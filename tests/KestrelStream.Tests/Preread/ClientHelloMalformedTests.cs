using KestrelStream.Preread;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Preread;

/// <summary>Every rule, broken once: what is refused, why, and with which alert.</summary>
public class ClientHelloMalformedTests
{
    private static readonly byte[] Message = new ClientHelloBuilder().WithServerName("a.example").BuildMessage();

    /// <summary>Faults of the message itself: the same however it is put into records.</summary>
    private static readonly (string Rule, byte[] Message, ClientHelloError Error, TlsAlert Alert)[] Messages =
    [
        ("not a ClientHello", [2, .. Message[1..]], ClientHelloError.MessageType, TlsAlert.UnexpectedMessage),
        ("hello request", [0, 0, 0, 0], ClientHelloError.MessageType, TlsAlert.UnexpectedMessage),
        ("length 0", [1, 0, 0, 0], ClientHelloError.MessageTooShort, TlsAlert.DecodeError),
        ("length 40", [1, 0, 0, 40, .. new byte[40]], ClientHelloError.MessageTooShort, TlsAlert.DecodeError),
        ("legacy version 2.255", New().WithLegacyVersion(0x02ff).BuildMessage(), ClientHelloError.LegacyVersion, TlsAlert.ProtocolVersion),
        ("legacy version 0.2", New().WithLegacyVersion(0x0002).BuildMessage(), ClientHelloError.LegacyVersion, TlsAlert.ProtocolVersion),
        ("session id of 33", New().WithSessionId(new byte[33]).BuildMessage(), ClientHelloError.SessionId, TlsAlert.DecodeError),
        ("session id beyond the end", Body([32, .. new byte[6]]), ClientHelloError.SessionId, TlsAlert.DecodeError),
        ("no cipher suite", New().WithCipherSuites().BuildMessage(), ClientHelloError.CipherSuites, TlsAlert.DecodeError),
        ("odd cipher suites", New().WithCipherSuites(0x13, 0x01, 0x13).BuildMessage(), ClientHelloError.CipherSuites, TlsAlert.DecodeError),
        ("cipher suites beyond the end", Body([0, 0, 6, 0, 0, 0, 0]), ClientHelloError.CipherSuites, TlsAlert.DecodeError),
        ("half a cipher suites length", Body([5, 0, 0, 0, 0, 0, 6]), ClientHelloError.CipherSuites, TlsAlert.DecodeError),
        ("no compression method", New().WithCompressionMethods().BuildMessage(), ClientHelloError.CompressionMethods, TlsAlert.DecodeError),
        ("no compression list", Body([0, 0, 4, 0, 0, 0, 0]), ClientHelloError.CompressionMethods, TlsAlert.DecodeError),
        ("compression beyond the end", Body([0, 0, 2, 0, 0, 2, 0]), ClientHelloError.CompressionMethods, TlsAlert.DecodeError),
        ("deflate only", New().WithCompressionMethods(1).BuildMessage(), ClientHelloError.NoNullCompression, TlsAlert.IllegalParameter),
        ("one byte after compression", New().WithoutExtensionBlock().WithBytesAfterExtensions(0).BuildMessage(), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("a byte after the extensions", New().WithBytesAfterExtensions(0).BuildMessage(), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("extensions length one short", New().WithServerName("a").WithExtensionsLength(9).BuildMessage(), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("extensions length one long", New().WithServerName("a").WithExtensionsLength(11).BuildMessage(), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("extensions length 0 before some", New().WithServerName("a").WithExtensionsLength(0).BuildMessage(), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("half an extension type", Extensions([0]), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("no extension length", Extensions([0, 16]), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("half an extension length", Extensions([0, 35, 0]), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("extension beyond the block", Extensions([0, 35, 0, 2, 0]), ClientHelloError.ExtensionLengths, TlsAlert.DecodeError),
        ("server_name twice", New().WithServerName("a").WithServerName("a").BuildMessage(), ClientHelloError.DuplicateExtension, TlsAlert.IllegalParameter),
        ("unknown extension twice", New().WithExtension(999, []).WithServerName("a").WithExtension(999, []).BuildMessage(), ClientHelloError.DuplicateExtension, TlsAlert.IllegalParameter),
        ("GREASE extension twice", New().WithExtension(0x0a0a, []).WithExtension(0x0a0a, [0]).BuildMessage(), ClientHelloError.DuplicateExtension, TlsAlert.IllegalParameter),
        ("pre_shared_key before another", New().WithExtension(41, [0]).WithServerName("a").BuildMessage(), ClientHelloError.PreSharedKeyNotLast, TlsAlert.IllegalParameter),
        ("server_name empty", Extension(0, []), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name list empty", Extension(0, [0, 0]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name list one short", Extension(0, [0, 3, 0, 0, 1, 97]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name list one long", Extension(0, [0, 5, 0, 0, 1, 97]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: byte after the list", Extension(0, [0, 4, 0, 0, 1, 97, 0]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: type without name", Extension(0, [0, 1, 0]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: half a name length", Extension(0, [0, 2, 0, 0]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: empty name", Extension(0, [0, 3, 0, 0, 0]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: name one short", Extension(0, [0, 5, 0, 0, 1, 97, 98]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: name one long", Extension(0, [0, 4, 0, 0, 2, 97]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: name length 65535", Extension(0, [0, 4, 0, 255, 255, 97]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: another type", Extension(0, [0, 4, 1, 0, 1, 97]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: two names", Extension(0, [0, 8, 0, 0, 1, 97, 0, 0, 1, 98]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: name, then another type", Extension(0, [0, 8, 0, 0, 1, 97, 1, 0, 1, 98]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: another type, then name", Extension(0, [0, 8, 1, 0, 1, 97, 0, 0, 1, 98]), ClientHelloError.ServerNameList, TlsAlert.DecodeError),
        ("server_name: no name inside", New().WithServerName("a..b").BuildMessage(), ClientHelloError.ServerName, TlsAlert.UnrecognizedName),
        ("ALPN empty", Extension(16, []), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN list empty", Extension(16, [0, 0]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN list one short", Extension(16, [0, 2, 2, 104, 50]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN list one long", Extension(16, [0, 4, 2, 104, 50]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN: byte after the list", Extension(16, [0, 3, 2, 104, 50, 0]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN: empty name", Extension(16, [0, 4, 2, 104, 50, 0]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("ALPN: name beyond the list", Extension(16, [0, 3, 3, 104, 50]), ClientHelloError.AlpnList, TlsAlert.DecodeError),
        ("versions empty", Extension(43, []), ClientHelloError.SupportedVersions, TlsAlert.DecodeError),
        ("versions list empty", Extension(43, [0]), ClientHelloError.SupportedVersions, TlsAlert.DecodeError),
        ("versions odd", Extension(43, [3, 3, 4, 3]), ClientHelloError.SupportedVersions, TlsAlert.DecodeError),
        ("versions one long", Extension(43, [4, 3, 4, 3]), ClientHelloError.SupportedVersions, TlsAlert.DecodeError),
        ("versions: byte after the list", Extension(43, [2, 3, 4, 3]), ClientHelloError.SupportedVersions, TlsAlert.DecodeError),
    ];

    /// <summary>Faults of the records, or of where the message lies in them.</summary>
    private static readonly (string Rule, byte[] Wire, ClientHelloError Error, TlsAlert Alert)[] Wires =
    [
        ("SSLv2 form, TLS 1.0", [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10], ClientHelloError.Ssl2Form, TlsAlert.ProtocolVersion),
        ("SSLv2 form, SSL 2.0", [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10], ClientHelloError.Ssl2Form, TlsAlert.ProtocolVersion),
        ("first record empty", [0x16, 3, 1, 0, 0, .. ClientHelloBuilder.Record(Message)], ClientHelloError.RecordEmpty, TlsAlert.UnexpectedMessage),
        ("later record empty", [.. ClientHelloBuilder.Record(Message.AsSpan(0, 9)), 0x16, 3, 1, 0, 0], ClientHelloError.RecordEmpty, TlsAlert.UnexpectedMessage),
        ("first record 16,385", [0x16, 3, 1, 0x40, 1], ClientHelloError.RecordOverflow, TlsAlert.RecordOverflow),
        ("first record 32,768", [0x16, 3, 1, 0x80, 0], ClientHelloError.RecordOverflow, TlsAlert.RecordOverflow),
        ("first record 65,535", [0x16, 3, 1, 0xff, 0xff], ClientHelloError.RecordOverflow, TlsAlert.RecordOverflow),
        ("later record 16,385", [.. ClientHelloBuilder.Record(Message.AsSpan(0, 9)), 0x16, 3, 1, 0x40, 1], ClientHelloError.RecordOverflow, TlsAlert.RecordOverflow),
        ("alert in between", Between(ClientHelloBuilder.Record([1, 0], type: 0x15)), ClientHelloError.RecordType, TlsAlert.UnexpectedMessage),
        ("change_cipher_spec in between", Between(ClientHelloBuilder.Record([1], type: 0x14)), ClientHelloError.RecordType, TlsAlert.UnexpectedMessage),
        ("application data in between", Between(ClientHelloBuilder.Record([1], type: 0x17)), ClientHelloError.RecordType, TlsAlert.UnexpectedMessage),
        ("SSLv2 form in between", Between([0x80, 0x2e, 1, 3, 1]), ClientHelloError.RecordType, TlsAlert.UnexpectedMessage),
        ("alert after a part of the message header", [.. ClientHelloBuilder.Record([1, 0]), 0x15, 3, 1, 0, 2, 1, 0], ClientHelloError.RecordType, TlsAlert.UnexpectedMessage),
        ("later record of DTLS", Between([0x16, 0xfe, 0xfd, 0, 1, 0]), ClientHelloError.RecordVersion, TlsAlert.ProtocolVersion),
        ("later record of version 2", Between([0x16, 2, 0, 0, 1, 0]), ClientHelloError.RecordVersion, TlsAlert.ProtocolVersion),
        ("a byte after the message", ClientHelloBuilder.Record([.. Message, 0]), ClientHelloError.BytesAfterMessage, TlsAlert.UnexpectedMessage),
        ("two hellos in a record", ClientHelloBuilder.Record([.. Message, .. Message]), ClientHelloError.BytesAfterMessage, TlsAlert.UnexpectedMessage),
        ("a byte after the message in the second record", ClientHelloBuilder.Frame([.. Message, 0], 20), ClientHelloError.BytesAfterMessage, TlsAlert.UnexpectedMessage),
    ];

    [Fact]
    public void Advance_BrokenMessage_IsMalformedInEveryFraming()
        => Assert.All(Messages, broken =>
        {
            var expected = new HelloVerdict(PrereadStatus.Malformed, broken.Error, broken.Alert, null, "", 0, EncryptedHello.None, 0);
            Assert.Equal((broken.Rule, expected), (broken.Rule, HelloVerdict.OfMessage(broken.Message)));
            AssertSameForEveryCut(broken.Rule, ClientHelloBuilder.Frame(broken.Message), expected);
            for (var offset = 1; offset < broken.Message.Length; offset++)
            {
                Assert.Equal((broken.Rule, offset, expected), (broken.Rule, offset, HelloVerdict.OfMessage(broken.Message, offset)));
            }

            int[] everywhere = [.. Enumerable.Range(1, broken.Message.Length - 1)];
            Assert.Equal((broken.Rule, expected), (broken.Rule, HelloVerdict.OfMessage(broken.Message, everywhere)));
        });

    [Fact]
    public void Advance_BrokenRecords_IsMalformed()
        => Assert.All(Wires, broken =>
        {
            var expected = new HelloVerdict(PrereadStatus.Malformed, broken.Error, broken.Alert, null, "", 0, EncryptedHello.None, 0);
            Assert.Equal((broken.Rule, expected), (broken.Rule, HelloVerdict.Of(broken.Wire)));
            AssertSameForEveryCut(broken.Rule, broken.Wire, expected);
        });

    [Fact]
    public void Tables_EveryError_IsThere()
    {
        var missing = Enum.GetValues<ClientHelloError>()
            .Except([.. Messages.Select(m => m.Error), .. Wires.Select(w => w.Error), ClientHelloError.None, ClientHelloError.MessageTooLarge]);

        Assert.Empty(missing);
    }

    [Fact]
    public void GetHello_AfterMalformed_Throws()
        => Assert.Throws<InvalidOperationException>(() =>
        {
            var parser = new ClientHelloParser(HelloVerdict.MaxWireBytes);
            parser.Advance(Wires[0].Wire);
            parser.GetHello(Wires[0].Wire);
        });

    private static void AssertSameForEveryCut(string rule, byte[] wire, HelloVerdict expected)
    {
        Assert.Equal((rule, expected), (rule, HelloVerdict.OfDrip(wire).WithoutLength()));
        for (var end = 0; end < wire.Length; end++)
        {
            Assert.Equal((rule, end, expected), (rule, end, HelloVerdict.OfSegments(wire, end)));
        }
    }

    private static ClientHelloBuilder New() => new();

    private static byte[] Extension(ushort type, byte[] content) => New().WithExtension(type, content).BuildMessage();

    /// <summary>Any bytes as the extensions block, its length right.</summary>
    private static byte[] Extensions(byte[] block)
        => New().WithExtensionsLength(block.Length).WithBytesAfterExtensions(block).BuildMessage();

    /// <summary>A message with these bytes behind its random; seven make the least length.</summary>
    private static byte[] Body(byte[] afterRandom)
        => [1, 0, 0, (byte)(34 + afterRandom.Length), 3, 3, .. new byte[32], .. afterRandom];

    /// <summary>The hello in two records with something between them.</summary>
    private static byte[] Between(byte[] bytes)
        => [.. ClientHelloBuilder.Record(Message.AsSpan(0, 20)), .. bytes, .. ClientHelloBuilder.Record(Message.AsSpan(20))];
}
