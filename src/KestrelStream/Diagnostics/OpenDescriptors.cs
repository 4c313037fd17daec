using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace KestrelStream.Diagnostics;

/// <summary>How many descriptors this process has open. Thread-safe.</summary>
/// <remarks>
/// The kernel tells their number as the size of /proc/self/fd, since Linux 6.2. Before, that size is zero and they have to be listed: a tenth of a second with
/// ten thousand sessions, so that is done now and then only.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed partial class OpenDescriptors
{
    private const string Folder = "/proc/self/fd";
    private const int AtWorkingFolder = -100;
    private const uint SizeWanted = 0x200;

    private static readonly TimeSpan s_listEvery = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long _listed;
    private long _open;

    public long Count() => ReadSize() is > 0 and var size ? size : List();

    private static unsafe long ReadSize()
    {
        // struct statx (statx(2)): 256 bytes, the same on every architecture.
        var stat = stackalloc ulong[32];
        fixed (byte* path = "/proc/self/fd\0"u8)
        {
            return Statx(AtWorkingFolder, path, 0, SizeWanted, stat) == 0 ? (long)stat[5] : 0;
        }
    }

    private long List()
    {
        lock (_gate)
        {
            if (_listed == 0 || Stopwatch.GetElapsedTime(_listed) > s_listEvery)
            {
                _open = Directory.EnumerateFileSystemEntries(Folder).LongCount();
                _listed = Stopwatch.GetTimestamp();
            }

            return _open;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static unsafe partial int Statx(int folder, byte* path, int flags, uint mask, ulong* result);
}
