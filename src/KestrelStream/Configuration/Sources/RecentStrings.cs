using System.Text;

namespace KestrelStream.Configuration.Sources;

/// <summary>Spares a new string where the same text stood not long ago: names of keys, ids that many items refer to. Used by one thread.</summary>
internal sealed class RecentStrings
{
    private const int MaxLength = 32;

    private readonly string?[] _recent = new string?[1024];

    /// <summary>Bytes that are no UTF-8 become U+FFFD, as in every text file that .NET reads.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxLength)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        var hash = 2166136261u;
        foreach (var b in utf8)
        {
            hash = (hash ^ b) * 16777619u;
        }

        ref var recent = ref _recent[(hash ^ (hash >> 16)) % (uint)_recent.Length];
        return recent is not null && Ascii.Equals(utf8, recent) ? recent : recent = Encoding.UTF8.GetString(utf8);
    }
}
