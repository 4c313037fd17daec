using System.Globalization;
using System.Text;

namespace KestrelStream.Health.Checks;

/// <summary>Bytes as the configuration writes them: text in UTF-8 with <c>\r</c> <c>\n</c> <c>\t</c> <c>\\</c> <c>\xNN</c>; and bytes from the network as one line for people.</summary>
internal static class EscapedText
{
    /// <summary>Enough to recognise an answer; a status page is not repeated in a log line.</summary>
    private const int MaxShownBytes = 120;

    /// <summary>False with what is wrong.</summary>
    public static bool TryParse(string text, out byte[] bytes, out string? error)
    {
        bytes = [];
        error = null;
        var result = new MemoryStream(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var escape = text.IndexOf('\\', i);
            result.Write(Encoding.UTF8.GetBytes(text[i..(escape < 0 ? text.Length : escape)]));
            if (escape < 0)
            {
                break;
            }

            i = escape + 2;
            switch (escape + 1 < text.Length ? text[escape + 1] : '\0')
            {
                case 'r': result.WriteByte((byte)'\r'); break;
                case 'n': result.WriteByte((byte)'\n'); break;
                case 't': result.WriteByte((byte)'\t'); break;
                case '\\': result.WriteByte((byte)'\\'); break;
                case 'x' when escape + 3 < text.Length && byte.TryParse(text.AsSpan(escape + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value):
                    result.WriteByte(value);
                    i = escape + 4;
                    break;
                default:
                    error = "valid escapes: \\r, \\n, \\t, \\\\, \\xNN";
                    return false;
            }
        }

        bytes = result.ToArray();
        return true;
    }

    /// <summary>What a peer said, safe to log and to show: printable ASCII as it is, the rest as <c>\xNN</c>, cut.</summary>
    public static string Show(ReadOnlySpan<byte> bytes)
    {
        var shown = bytes.TrimEnd("\r\n"u8);
        var isCut = shown.Length > MaxShownBytes;
        shown = isCut ? shown[..MaxShownBytes] : shown;
        var text = new StringBuilder(shown.Length + 1);
        foreach (var b in shown)
        {
            _ = b switch
            {
                (byte)'\r' => text.Append("\\r"),
                (byte)'\n' => text.Append("\\n"),
                (byte)'\\' => text.Append("\\\\"),
                >= 0x20 and < 0x7f => text.Append((char)b),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}"),
            };
        }

        return isCut ? text.Append('…').ToString() : text.ToString();
    }
}
