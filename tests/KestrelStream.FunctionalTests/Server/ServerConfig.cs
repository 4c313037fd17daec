using System.Net;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>Texts of configuration files.</summary>
internal static class ServerConfig
{
    /// <summary>Listener <c>public</c> on a free port, everything goes to one destination.</summary>
    /// <param name="destination">Of cluster <c>c</c>.</param>
    /// <param name="more">More keys of StreamProxy, each with a comma after it.</param>
    public static string OneRoute(EndPoint destination, string more = "") => $$"""
        {
          "StreamProxy": {
            {{more}}
            "Listeners": { "public": { "Address": "127.0.0.1:0" } },
            "Routes": { "all": { "ClusterId": "c" } },
            "Clusters": { "c": { "Destinations": { "a": { "Address": "{{destination}}" } } } }
          }
        }
        """;
}
