namespace KestrelStream.Tls;

internal static partial class CipherString
{
    /// <summary>Applies rules one after the other. One per parse; not thread-safe.</summary>
    private sealed class Selection
    {
        private readonly List<Suite> _active = [];
        private List<Suite> _inactive = [.. Suites];
        private int _level = DefaultSecurityLevel;

        public List<Suite> Result() => _active.FindAll(suite => IsUsable(suite) && IsAllowed(suite, _level));

        public bool TryApply(ReadOnlySpan<char> text, out string? error)
        {
            error = null;
            while (!text.IsEmpty)
            {
                if (IsSeparator(text[0]))
                {
                    text = text[1..];
                    continue;
                }

                var rule = text[0] is '!' or '-' or '+' or '@' ? text[0] : '\0';
                if (rule != '\0')
                {
                    text = text[1..];
                }

                if (rule == '@' ? !TryApplyCommand(ref text, out error) : !TryApplyRule(rule, ref text, out error))
                {
                    return false;
                }
            }

            return true;
        }

        private bool TryApplyRule(char rule, ref ReadOnlySpan<char> text, out string? error)
        {
            var pattern = default(Pattern);
            var choosesNothing = false;
            while (true)
            {
                if (!TryReadWord(ref text, out var word, out error))
                {
                    return false;
                }

                if (Dictionary.Words.TryGetValue(word, out var next))
                {
                    choosesNothing |= !pattern.TryAnd(next, out pattern);
                }
                else if (Retired.Contains(word))
                {
                    choosesNothing = true;
                }
                else
                {
                    error = Unknown(word);
                    return false;
                }

                if (text.IsEmpty || text[0] != '+')
                {
                    break;
                }

                text = text[1..];
            }

            if (!choosesNothing)
            {
                Apply(rule, pattern);
            }

            return true;
        }

        private void Apply(char rule, Pattern pattern)
        {
            switch (rule)
            {
                case '!':
                    _active.RemoveAll(pattern.Matches);
                    _inactive.RemoveAll(pattern.Matches);
                    break;
                case '-':
                    // What was deleted last is the first to be found by a later rule that adds.
                    _inactive = [.. _active.FindAll(pattern.Matches), .. _inactive];
                    _active.RemoveAll(pattern.Matches);
                    break;
                case '+':
                    var moved = _active.FindAll(pattern.Matches);
                    _active.RemoveAll(pattern.Matches);
                    _active.AddRange(moved);
                    break;
                default:
                    _active.AddRange(_inactive.FindAll(pattern.Matches));
                    _inactive.RemoveAll(pattern.Matches);
                    break;
            }
        }

        private bool TryApplyCommand(ref ReadOnlySpan<char> text, out string? error)
        {
            if (!TryReadWord(ref text, out var word, out error))
            {
                return false;
            }

            if (word == "STRENGTH")
            {
                var sorted = _active.OrderByDescending(suite => suite.StrengthBits).ToArray(); // Stable, as OpenSSL's.
                _active.Clear();
                _active.AddRange(sorted);
                return true;
            }

            if (word.Length == 10 && word.StartsWith("SECLEVEL=", StringComparison.Ordinal) && word[9] is >= '0' and <= '5')
            {
                _level = word[9] - '0';
                return true;
            }

            error = Unknown($"@{word}");
            return false;
        }

        private static bool TryReadWord(ref ReadOnlySpan<char> text, out string word, out string? error)
        {
            var length = 0;
            while (length < text.Length && IsWordCharacter(text[length]))
            {
                length++;
            }

            word = text[..length].ToString();
            text = text[length..];
            error = length > 0
                ? null
                : text.IsEmpty ? $"ends where a word is expected; {Hint}" : $"'{text[0]}' where a word is expected; {Hint}";
            return error is null;
        }

        private static string Unknown(string word)
        {
            if (word == Default)
            {
                return "'DEFAULT' stands only at the very start, and without '+'";
            }

            if (word.StartsWith("SUITEB", StringComparison.Ordinal))
            {
                return $"'{word}' also rules curves and signatures, which cannot be set; name the suites instead";
            }

            var meant = Dictionary.Words.Keys.FirstOrDefault(known => known.Equals(word, StringComparison.OrdinalIgnoreCase));
            return meant is null ? $"unknown word '{word}'; {Hint}" : $"unknown word '{word}': did you mean '{meant}'? Case matters; {Hint}";
        }
    }
}
