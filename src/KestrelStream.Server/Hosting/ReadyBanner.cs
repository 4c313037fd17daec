using System.Net;
using System.Net.Sockets;
using KestrelStream.Management;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace KestrelStream.Server.Hosting;

/// <summary>What start prints on standard output: a line per listener, then a line that starts with Ready and names the admin port. Scripts wait for it.</summary>
internal static class ReadyBanner
{
    public static void Print(TextWriter output, IStreamProxy proxy, ConfigFile file, IServer admin)
    {
        foreach (var (id, addresses) in proxy.BoundAddresses.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            output.WriteLine($"Listener {id}: {string.Join(", ", addresses.Select(Text))}");
        }

        if (file.Demo is { } demo)
        {
            foreach (var line in demo.TryLines)
            {
                output.WriteLine("Try: " + line);
            }
        }

        // An admin port 0 shows its number here.
        var address = admin.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        output.WriteLine($"Ready ({file.FullName}{(address is null ? "" : "; admin " + address)})");
        output.Flush();
    }

    private static string Text(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint ? "unix:" + endPoint : endPoint.ToString()!;
}
