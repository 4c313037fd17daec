using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary><c>/api/access</c>: whether who asks may change things, before anything is changed. A wrong token is denied as by any change.</summary>
internal static class AccessEndpoint
{
    public static Task GetAsync(HttpContext context)
    {
        if (AdminAccess.IsAllowed(context, out var status))
        {
            return WriteAsync(context, new ApiAccess(true, "nothing"));
        }

        return context.Request.Headers.Authorization.Count > 0
            ? AdminAccess.DenyAsync(context, AdminChange.TokenCheck, status)
            : WriteAsync(context, new ApiAccess(false, status == StatusCodes.Status403Forbidden ? "impossible" : "token"));
    }

    private static Task WriteAsync(HttpContext context, ApiAccess answer) => AdminResponse.WriteAsync(context, answer, AdminJson.Default.ApiAccess);
}
