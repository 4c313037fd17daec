using System.Text.Json;
using KestrelStream.Transport;

namespace KestrelStream.Diagnostics;

/// <summary>Names of the ends of a dial, as log, metric and API show them: <c>timed_out</c>.</summary>
internal static class ConnectStatuses
{
    private static readonly string[] Names = [.. Enum.GetNames<ConnectStatus>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    public static int Count => Names.Length;

    public static string NameOf(ConnectStatus status) => Names[(int)status];
}
