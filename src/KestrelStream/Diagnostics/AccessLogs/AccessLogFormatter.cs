using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Dialing;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>Turns records into lines, one each, whatever the network sent. A fact that a session does not have is left out. One for each log; not thread-safe.</summary>
internal abstract class AccessLogFormatter
{
    /// <summary>Longest form of a number, a time or an IP address with its port, with room to spare.</summary>
    private const int MaxTokenBytes = 80;

    // Client and peer are the same one, mostly.
    private readonly byte[] _lastText = new byte[MaxTokenBytes];
    private IPEndPoint? _last;
    private int _lastLength;

    public static AccessLogFormatter Create(AccessLogFormat format, AccessLogTemplate? template, IBufferWriter<byte> output)
        => template is not null ? new AccessLogTemplateFormatter(template, output)
            : format == AccessLogFormat.Text ? new AccessLogTextFormatter(output)
            : new AccessLogJsonFormatter(output);

    /// <summary>Writes one line.</summary>
    public virtual void Format(AccessLogRecord record)
    {
        Begin();
        var missing = ~record.Facts;
        foreach (var field in AccessLogFields.All)
        {
            if ((field.Of & missing) == 0)
            {
                field.Write(this, record);
            }
        }

        End();
    }

    /// <summary>A text from anywhere.</summary>
    public abstract void Write(AccessLogField field, string? value);

    public abstract void Write(AccessLogField field, bool? value);

    public abstract void Write(AccessLogField field, IReadOnlyList<DialAttempt> attempts);

    public void Write(AccessLogField field, long? value)
    {
        if (value is { } number)
        {
            Span<byte> digits = stackalloc byte[MaxTokenBytes];
            Utf8Formatter.TryFormat(number, digits, out var length);
            WriteNumber(field, digits[..length]);
        }
    }

    public void WriteHex(AccessLogField field, long value)
    {
        Span<byte> digits = stackalloc byte[MaxTokenBytes];
        Utf8Formatter.TryFormat(value, digits, out var length, 'x');
        WriteToken(field, digits[..length]);
    }

    /// <summary>In milliseconds, to the microsecond.</summary>
    public void Write(AccessLogField field, TimeSpan? value)
    {
        if (value is { } time)
        {
            Span<byte> digits = stackalloc byte[MaxTokenBytes];
            WriteNumber(field, digits[..FormatMilliseconds(time, digits)]);
        }
    }

    /// <summary>In seconds, to the millisecond, always with three digits behind the point.</summary>
    public void WriteSeconds(AccessLogField field, TimeSpan? value)
    {
        if (value is { } time)
        {
            WriteNumber(field, Encoding.ASCII.GetBytes(Seconds(time)));
        }
    }

    public void Write(AccessLogField field, DateTimeOffset value)
    {
        Span<byte> text = stackalloc byte[MaxTokenBytes];

        // "2030-01-02T03:04:07.3450000Z", a tenth of the cost of a format of one's own.
        Utf8Formatter.TryFormat(value.UtcDateTime, text, out _, 'O');
        text[23] = (byte)'Z';
        WriteToken(field, text[..24]);
    }

    /// <summary>A local time, and behind it how far that is from UTC.</summary>
    public void Write(AccessLogField field, DateTime local, string format)
    {
        var offset = TimeZoneInfo.Local.GetUtcOffset(local);
        var sign = offset < TimeSpan.Zero ? '-' : '+';
        var zone = offset.Duration();
        var isIso = format[0] == 'y';
        Write(field, string.Create(CultureInfo.InvariantCulture, $"{local.ToString(format, CultureInfo.InvariantCulture)}{(isIso ? "" : " ")}{sign}{zone.Hours:00}{(isIso ? ":" : "")}{zone.Minutes:00}"));
    }

    /// <summary>As <see cref="EndPointText"/>, without making a string of an IP address.</summary>
    public void Write(AccessLogField field, EndPoint? value)
    {
        if (value is not IPEndPoint ip)
        {
            Write(field, EndPointText.Of(value));
            return;
        }

        if (ip != _last)
        {
            _last = ip;
            _lastLength = FormatEndPoint(ip, _lastText);
        }

        WriteToken(field, _lastText.AsSpan(0, _lastLength));
    }

    /// <summary>The address alone; <c>unix:</c> of a unix socket.</summary>
    public void WriteAddress(AccessLogField field, EndPoint? value) => Write(field, value switch
    {
        null => null,
        IPEndPoint { Address: { IsIPv4MappedToIPv6: true } mapped } => mapped.MapToIPv4().ToString(),
        IPEndPoint ip => ip.Address.ToString(),
        _ => "unix:",
    });

    /// <param name="field">The field.</param>
    /// <param name="list">Body of a ProtocolNameList, well-formed: names, each behind its length. Null = none.</param>
    public void WriteAlpn(AccessLogField field, byte[]? list)
    {
        if (list is null)
        {
            return;
        }

        var text = new StringBuilder(list.Length);
        for (var rest = list.AsSpan(); !rest.IsEmpty; rest = rest[(1 + rest[0])..])
        {
            text.Append(text.Length > 0 ? "," : "").Append(Encoding.Latin1.GetString(rest.Slice(1, rest[0])));
        }

        Write(field, text.ToString());
    }

    public void WriteLatin1(AccessLogField field, ReadOnlyMemory<byte>? bytes)
        => Write(field, bytes is { } known ? Encoding.Latin1.GetString(known.Span) : null);

    /// <summary>As text where it is one (ours, HAProxy's), else in hexadecimal.</summary>
    public void WriteTextOrHex(AccessLogField field, ReadOnlyMemory<byte>? bytes)
        => Write(field, bytes is not { } id ? null
            : id.Span.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e) ? Convert.ToHexStringLower(id.Span)
            : Encoding.ASCII.GetString(id.Span));

    /// <summary>As nginx writes times.</summary>
    public static string Seconds(TimeSpan time) => Math.Max(0, time.TotalSeconds).ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>Digits of milliseconds to the microsecond, without zeros at the end.</summary>
    protected static int FormatMilliseconds(TimeSpan time, Span<byte> digits)
    {
        var microseconds = (ulong)(Math.Max(0, time.Ticks) + (TimeSpan.TicksPerMicrosecond / 2)) / (ulong)TimeSpan.TicksPerMicrosecond;
        var whole = microseconds / 1000;
        var rest = (uint)(microseconds - (whole * 1000));
        Utf8Formatter.TryFormat(whole, digits, out var length);
        if (rest == 0)
        {
            return length;
        }

        // By constants, which costs no division: a record has eight of these.
        var (tenths, hundredths) = (rest / 100, rest / 10);
        digits[length++] = (byte)'.';
        digits[length++] = (byte)('0' + tenths);
        if (rest != tenths * 100)
        {
            digits[length++] = (byte)('0' + hundredths - (tenths * 10));
            if (rest != hundredths * 10)
            {
                digits[length++] = (byte)('0' + rest - (hundredths * 10));
            }
        }

        return length;
    }

    protected static int FormatEndPoint(IPEndPoint endPoint, Span<byte> text)
    {
        var address = endPoint.Address;

        // A listener on * sees IPv4 clients as ::ffff:a.b.c.d, which nobody searches a log for.
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        var isV6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var length = 0;
        if (isV6)
        {
            text[length++] = (byte)'[';
        }

        address.TryFormat(text[length..], out var written);
        length += written;
        if (isV6)
        {
            text[length++] = (byte)']';
        }

        text[length++] = (byte)':';
        Utf8Formatter.TryFormat(endPoint.Port, text[length..], out written);
        return length + written;
    }

    protected abstract void Begin();

    /// <summary>Plain ASCII without blanks, quotes and backslashes.</summary>
    protected abstract void WriteToken(AccessLogField field, ReadOnlySpan<byte> value);

    /// <summary>Digits, and what else is in a number of JSON.</summary>
    protected abstract void WriteNumber(AccessLogField field, ReadOnlySpan<byte> value);

    protected abstract void End();
}
