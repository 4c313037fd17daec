using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>A user's line, parsed: <c>{field}</c>, <c>$variable</c> or <c>${variable}</c>, and text between them. <c>{{</c>, <c>}}</c> and <c>$$</c> stand for themselves. Immutable.</summary>
internal sealed class AccessLogTemplate
{
    private static readonly Dictionary<string, AccessLogField> s_fields = Fields();

    private AccessLogTemplate(List<(byte[] Literal, AccessLogField? Field)> parts)
    {
        Parts = parts;
        Needs = parts.Aggregate(SessionTraceNeeds.None, (needs, part) => needs | (part.Field?.Needs ?? SessionTraceNeeds.None));
    }

    /// <summary>Text, and the field behind it.</summary>
    public IReadOnlyList<(byte[] Literal, AccessLogField? Field)> Parts { get; }

    public SessionTraceNeeds Needs { get; }

    /// <param name="text">As the user has written it.</param>
    /// <param name="error">What is wrong with it and what would be valid; null = nothing.</param>
    public static AccessLogTemplate? Parse(string text, out string? error)
    {
        var parts = new List<(byte[], AccessLogField?)>();
        var literal = new StringBuilder();
        error = null;
        for (var i = 0; i < text.Length && error is null; i++)
        {
            var c = text[i];
            if (c is '{' or '}' or '$' && i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
            }
            else if (c is '{' or '$')
            {
                error = Field(text, ref i, out var field);
                parts.Add((Encoding.UTF8.GetBytes(literal.ToString()), field));
                literal.Clear();
            }
            else if (c == '}' || char.IsControl(c) && c != '\t')
            {
                error = c == '}' ? "has a } without {; valid: }} for the character itself" : "has a control character; valid: one line";
            }
            else
            {
                literal.Append(c);
            }
        }

        if (error is null && parts.Count == 0)
        {
            error = $"has no field; valid: text with {{field}} or $field in it, as {{client}} or $remote_addr";
        }

        parts.Add((Encoding.UTF8.GetBytes(literal.ToString()), null));
        return error is null ? new AccessLogTemplate(parts) : null;
    }

    /// <summary>Reads a field; <paramref name="i"/> goes from its first character to its last. Null, or what is wrong.</summary>
    private static string? Field(string text, ref int i, out AccessLogField? field)
    {
        field = null;
        var isBraced = text[i] == '{' || (i + 1 < text.Length && text[i + 1] == '{');
        var start = i + (isBraced && text[i] == '$' ? 2 : 1);
        var end = start;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
        {
            end++;
        }

        if (isBraced && (end == text.Length || text[end] != '}'))
        {
            return $"has a {{ that no }} ends; valid: {{field}}, or {{{{ for the character itself";
        }

        var name = text[start..end];
        i = isBraced ? end : end - 1;
        return s_fields.TryGetValue(name, out field)
            ? null
            : $"has {ErrorText.Quote(name)}, which is not a field; valid: {string.Join(", ", s_fields.Values.Select(known => known.Name))}";
    }

    private static Dictionary<string, AccessLogField> Fields()
    {
        var fields = new Dictionary<string, AccessLogField>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in AccessLogFields.All.Concat(NginxVariables.All))
        {
            fields.TryAdd(field.Name, field);
        }

        return fields;
    }
}
