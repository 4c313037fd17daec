using System.Text;

namespace KestrelStream.Acme.Documents;

/// <summary>Why an authority refuses (RFC 7807, RFC 8555 §6.7).</summary>
internal sealed record ProblemDocument
{
    public const string BadNonce = "urn:ietf:params:acme:error:badNonce";
    public const string AccountDoesNotExist = "urn:ietf:params:acme:error:accountDoesNotExist";
    public const string AlreadyReplaced = "urn:ietf:params:acme:error:alreadyReplaced";

    private const string Prefix = "urn:ietf:params:acme:error:";

    /// <summary>Authorities explain at length; a page of text is not for a log line.</summary>
    private const int MaxShownChars = 400;

    public string? Type { get; init; }

    public string? Detail { get; init; }

    /// <summary>Safe to log: one line, cut.</summary>
    public override string ToString()
    {
        var type = Type ?? "no reason";
        var said = $"{(type.StartsWith(Prefix, StringComparison.Ordinal) ? type[Prefix.Length..] : type)}: {Detail}";
        var text = new StringBuilder(Math.Min(said.Length, MaxShownChars) + 1);
        foreach (var c in said.AsSpan(0, Math.Min(said.Length, MaxShownChars)))
        {
            text.Append(c is >= ' ' and <= '~' ? c : '?');
        }

        return text.Append(said.Length > MaxShownChars ? "…" : "").ToString();
    }
}
