using Microsoft.AspNetCore.Routing;
namespace Microsoft.AspNetCore.Builder;
/// <summary>Stub.</summary>
public static class StreamProxyAdminExtensions
{
    /// <summary>Stub.</summary>
    public static void MapStreamProxyAdmin(this IEndpointRouteBuilder endpoints) => _ = endpoints;
}
