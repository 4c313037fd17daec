using System.Text;

namespace KestrelStream.Preread.Detection;

/// <summary>Bytes with which a connection begins, as the configuration writes them. Immutable.</summary>
internal sealed class FirstBytesPattern
{
    /// <summary>No protocol is told by more, and routes are to be chosen soon.</summary>
    public const int MaxBytes = 256;

    public const string ValidForms = "text:EHLO , or hex:00 ff 1a: 1 to 256 bytes";

    private const string TextPrefix = "text:";
    private const string HexPrefix = "hex:";

    private readonly byte[] _bytes;

    private FirstBytesPattern(byte[] bytes) => _bytes = bytes;

    /// <summary>Equal for patterns that mean the same.</summary>
    public string Key => Convert.ToHexStringLower(_bytes);

    public ReadOnlySpan<byte> Bytes => _bytes;

    public ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => ProtocolDetector.JudgePrefix(bytes, _bytes);

    /// <summary>Text is UTF-8; spaces between hexadecimal digits count for nothing.</summary>
    public static bool TryParse(string text, out FirstBytesPattern? pattern, out string? error)
    {
        pattern = null;
        error = null;
        byte[]? bytes = null;
        if (text.StartsWith(TextPrefix, StringComparison.Ordinal))
        {
            bytes = Encoding.UTF8.GetBytes(text[TextPrefix.Length..]);
        }
        else if (!text.StartsWith(HexPrefix, StringComparison.Ordinal))
        {
            error = "it says neither text: nor hex:";
        }
        else if (!TryParseHex(text[HexPrefix.Length..].Replace(" ", "", StringComparison.Ordinal), out bytes))
        {
            error = "these are not pairs of hexadecimal digits";
        }

        if (bytes is { Length: 0 or > MaxBytes })
        {
            error = $"it has {bytes.Length} bytes";
        }

        if (error is null)
        {
            pattern = new FirstBytesPattern(bytes!);
        }

        return pattern is not null;
    }

    private static bool TryParseHex(string digits, out byte[]? bytes)
    {
        bytes = digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
        return bytes is not null;
    }
}
