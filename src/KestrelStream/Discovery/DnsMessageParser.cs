using System.Buffers.Binary;
using System.Net;

namespace KestrelStream.Discovery;

/// <summary>
/// Reads answers of name servers (RFC 1035 §4). Their bytes may come from anybody: nothing throws, no more is allocated than was received,
/// and only a message that answers exactly the question that was asked is an answer. Pure.
/// </summary>
internal ref struct DnsMessageParser
{
    /// <summary>More than any pool has members; the rest of a longer answer is not read.</summary>
    public const int MaxRecords = 1024;

    private const int HeaderBytes = 12;
    private const ushort ResponseFlag = 0x8000;
    private const ushort OpcodeMask = 0x7800;
    private const ushort TruncatedFlag = 0x0200;
    private const ushort CodeMask = 0x000F;

    private readonly ReadOnlySpan<byte> _message;
    private int _offset;
    private int _recordsLeft = MaxRecords;
    private int _extendedCode;

    private DnsMessageParser(ReadOnlySpan<byte> message) => _message = message;

    /// <param name="message">A datagram, or what was between two lengths of a TCP stream.</param>
    /// <param name="id">Of the query.</param>
    /// <param name="question">Of the query.</param>
    /// <param name="answer">Set when it is one.</param>
    public static DnsVerdict Parse(ReadOnlySpan<byte> message, ushort id, DnsQuestion question, out DnsMessage? answer)
        => new DnsMessageParser(message).Parse(id, question, out answer);

    private DnsVerdict Parse(ushort id, DnsQuestion question, out DnsMessage? answer)
    {
        answer = null;
        if (_message.Length < HeaderBytes)
        {
            return DnsVerdict.Malformed;
        }

        var flags = UInt16At(2);
        if (UInt16At(0) != id || (flags & (ResponseFlag | OpcodeMask)) != ResponseFlag || UInt16At(4) != 1)
        {
            return DnsVerdict.Unrelated;
        }

        _offset = HeaderBytes;
        if (!DnsNameReader.TryRead(_message, ref _offset, out var name) || _message.Length - _offset < 4)
        {
            return DnsVerdict.Malformed;
        }

        if (name != question.Name || UInt16At(_offset) != (ushort)question.Type || UInt16At(_offset + 2) != DnsQuestion.ClassInternet)
        {
            return DnsVerdict.Unrelated;
        }

        _offset += 4;
        if ((flags & TruncatedFlag) != 0)
        {
            // It may end anywhere. What is there of it is asked for once more, over TCP.
            answer = new DnsMessage((DnsResponseCode)(flags & CodeMask), IsTruncated: true, [], []);
            return DnsVerdict.Answer;
        }

        var answers = new List<DnsRecord>();
        var additional = new List<DnsRecord>();
        if (!TryReadRecords(UInt16At(6), answers) || !TryReadRecords(UInt16At(8), null) || !TryReadRecords(UInt16At(10), additional))
        {
            return DnsVerdict.Malformed;
        }

        answer = new DnsMessage((DnsResponseCode)((flags & CodeMask) | _extendedCode), IsTruncated: false, answers, additional);
        return DnsVerdict.Answer;
    }

    /// <summary>Those that are understood go into the list, if there is one.</summary>
    private bool TryReadRecords(int count, List<DnsRecord>? records)
    {
        for (; count > 0 && _recordsLeft > 0; count--, _recordsLeft--)
        {
            if (!DnsNameReader.TryRead(_message, ref _offset, out var name) || _message.Length - _offset < 10)
            {
                return false;
            }

            var type = (DnsType)UInt16At(_offset);
            var @class = UInt16At(_offset + 2);
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(_message[(_offset + 4)..]);
            int length = UInt16At(_offset + 8);
            _offset += 10;
            if (_message.Length - _offset < length)
            {
                return false;
            }

            if (type == DnsType.Opt)
            {
                // RFC 6891 §6.1.3: what would be the time to live begins with the upper eight bits of the code.
                _extendedCode = (int)(ttl >> 24) << 4;
            }
            else if (@class == DnsQuestion.ClassInternet)
            {
                // RFC 2181 §8: the upper bit is to be taken as zero seconds.
                if (!TryReadData(name, type, ttl > int.MaxValue ? 0 : ttl, length, out var record))
                {
                    return false;
                }

                if (record is { } known)
                {
                    records?.Add(known);
                }
            }

            _offset += length;
        }

        return true;
    }

    /// <summary>False = malformed; null = of no interest.</summary>
    private readonly bool TryReadData(string? name, DnsType type, uint ttl, int length, out DnsRecord? record)
    {
        record = null;
        switch (type)
        {
            case DnsType.A or DnsType.Aaaa:
                if (length != (type == DnsType.A ? 4 : 16))
                {
                    return false;
                }

                record = name is null ? null : new DnsRecord(name, type, ttl, Address: new IPAddress(_message.Slice(_offset, length)));
                return true;

            case DnsType.Cname:
                var at = _offset;
                if (!DnsNameReader.TryRead(_message, ref at, out var alias) || at != _offset + length)
                {
                    return false;
                }

                record = name is null || alias is null ? null : new DnsRecord(name, type, ttl, Target: alias);
                return true;

            case DnsType.Srv:
                // Its target must not be compressed (RFC 2782), but some servers do so all the same.
                at = _offset + 6;
                if (length < 7 || !DnsNameReader.TryRead(_message, ref at, out var target) || at != _offset + length)
                {
                    return false;
                }

                record = name is null || target is null
                    ? null
                    : new DnsRecord(name, type, ttl, null, target, UInt16At(_offset), UInt16At(_offset + 2), UInt16At(_offset + 4));
                return true;

            default:
                return true;
        }
    }

    private readonly ushort UInt16At(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_message[offset..]);
}
