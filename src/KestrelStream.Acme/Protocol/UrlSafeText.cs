using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace KestrelStream.Acme.Protocol;

/// <summary>What ACME calls base64url in nonces and tokens: the alphabet counts, nobody decodes them (RFC 8555 §6.5.1, §8).</summary>
internal static class UrlSafeText
{
    private const int MaxChars = 512;

    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static bool IsOne([NotNullWhen(true)] string? text) => text is { Length: > 0 and <= MaxChars } && !text.AsSpan().ContainsAnyExcept(Alphabet);
}
