using System.Numerics;
using System.Runtime.CompilerServices;

namespace KestrelStream.LoadBalancing;

/// <summary>A set of members of a group, one bit each, over memory of the caller (usually its stack).</summary>
internal readonly ref struct MemberSet(Span<ulong> words)
{
    /// <summary>1 KiB: sets of up to 8,192 members are kept on the stack.</summary>
    public const int MaxStackWords = 128;

    private readonly Span<ulong> _words = words;

    public static int WordsFor(int members) => (members + 63) >> 6;

    public int WordCount => _words.Length;

    public bool IsEmpty => !_words.ContainsAnyExcept(0UL);

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var word in _words)
            {
                count += BitOperations.PopCount(word);
            }

            return count;
        }
    }

    /// <summary>-1 when empty.</summary>
    public int First
    {
        get
        {
            var word = _words.IndexOfAnyExcept(0UL);
            return word < 0 ? -1 : (word << 6) + BitOperations.TrailingZeroCount(_words[word]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Word(int index) => _words[index];

    public void SetWord(int index, ulong members) => _words[index] = members;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int member) => (_words[member >> 6] & (1UL << member)) != 0;

    public void Add(int member) => _words[member >> 6] |= 1UL << member;

    public void Remove(int member) => _words[member >> 6] &= ~(1UL << member);

    /// <summary>Removes the members of the words before one.</summary>
    public void Clear(int before) => _words[..before].Clear();
}
