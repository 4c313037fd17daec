using System.Collections.Immutable;
using System.Net;

namespace KestrelStream.Discovery;

/// <summary>
/// Which name servers are asked: those of the configuration, otherwise those of <c>/etc/resolv.conf</c>, which is read again when it has
/// changed. Thread-safe.
/// </summary>
internal sealed class NameServers(string resolvConf = NameServers.SystemFile)
{
    public const string SystemFile = "/etc/resolv.conf";

    private const int Port = 53;

    /// <summary>The C library takes three; a few more do no harm.</summary>
    private const int MaxServers = 8;

    /// <summary>A file of many megabytes is not one of these.</summary>
    private const int MaxFileBytes = 1 << 20;

    private readonly Lock _gate = new();
    private (DateTime Written, long Length) _seen;
    private ImmutableArray<IPEndPoint> _fromFile = [new(IPAddress.Loopback, Port)];

    /// <summary>In the order in which they are asked; at least one.</summary>
    public ImmutableArray<IPEndPoint> Read()
    {
        lock (_gate)
        {
            var file = new FileInfo(resolvConf);
            var seen = file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
            if (seen != _seen && seen.Length <= MaxFileBytes)
            {
                _seen = seen;
                _fromFile = ReadFile(file);
            }

            return _fromFile;
        }
    }

    /// <summary><c>ip</c>, <c>ip:port</c> or <c>[v6]:port</c>. The port is 53 where none is said.</summary>
    public static bool TryParse(string text, out IPEndPoint? server)
    {
        server = null;
        var colons = text.Count(c => c == ':');

        // IPAddress.TryParse takes "1" and "0x7f.1" for addresses, and "[::1]:53" for one without its port.
        if (colons < 2 && text.Count(c => c == '.') != 3)
        {
            return false;
        }

        if (colons == 1 || text.StartsWith('['))
        {
            server = IPEndPoint.TryParse(text, out var parsed) && parsed.Port > 0 ? parsed : null;
        }
        else if (IPAddress.TryParse(text, out var address))
        {
            server = new IPEndPoint(address, Port);
        }

        return server is not null;
    }

    /// <summary>resolv.conf(5): without a line of that kind it is the server on this machine.</summary>
    private static ImmutableArray<IPEndPoint> ReadFile(FileInfo file)
    {
        try
        {
            ImmutableArray<IPEndPoint> servers = [.. File.ReadLines(file.FullName)
                .Select(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["nameserver", _, ..])
                .Select(words => IPAddress.TryParse(words[1], out var address) ? new IPEndPoint(address, Port) : null)
                .OfType<IPEndPoint>()
                .Take(MaxServers)];
            return servers.IsEmpty ? [new(IPAddress.Loopback, Port)] : servers;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new(IPAddress.Loopback, Port)];
        }
    }
}
