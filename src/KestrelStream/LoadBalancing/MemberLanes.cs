using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KestrelStream.LoadBalancing;

/// <summary>Turns bits of a <see cref="MemberSet"/> into lanes of a vector.</summary>
internal static class MemberLanes
{
    /// <summary>Members worked on at a time.</summary>
    public const int Count = 8;

    private static Vector256<int> Bits => Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);

    /// <summary>All ones in the lane of each member of <paramref name="word"/> from bit number <paramref name="from"/> (modulo 64) on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Mask(ulong word, int from) => Vector256.Equals(Vector256.Create((int)(word >> from)) & Bits, Bits);
}
