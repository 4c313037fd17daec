using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Admin;

/// <summary>
/// Who may change things: whoever brings the token of the configuration or, where there is none, whoever can open the unix socket that the
/// configuration names as the admin address. Stateless; thread-safe.
/// </summary>
internal static partial class AdminAccess
{
    private const string Scheme = "Bearer ";

    /// <summary>Lets only those through to an endpoint who may change things. Others learn nothing but that.</summary>
    public static RequestDelegate Guard(AdminChange change, RequestDelegate endpoint) => context =>
    {
        if (!IsAllowed(context, out var status))
        {
            return DenyAsync(context, change, status);
        }

        // Also where a body has no meaning: nobody reads it, and the server would have to before the next request.
        if (context.Request.ContentLength > ChangeBody.MaxBytes)
        {
            ChangeRecord.Count(context, change, ChangeOutcome.Rejected);
            return ChangeBody.WriteTooLargeAsync(context);
        }

        return endpoint(context);
    };

    /// <summary>The clients of the proxy's own listeners are the public: to them, none of this is there.</summary>
    public static void KeepOffSessions(IEndpointConventionBuilder endpoints) => endpoints.Add(builder =>
    {
        if (builder.RequestDelegate is { } endpoint)
        {
            builder.RequestDelegate = context =>
            {
                if (context.Features.Get<IStreamSessionFeature>() is null)
                {
                    return endpoint(context);
                }

                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            };
        }
    });

    /// <param name="context">The request.</param>
    /// <param name="status">403 = nobody may, 401 = not with what came.</param>
    public static bool IsAllowed(HttpContext context, out int status)
    {
        var admin = context.RequestServices.GetRequiredService<IProxyState>().Current?.Config.Admin;
        if (admin?.Token is { Length: > 0 } token)
        {
            status = StatusCodes.Status401Unauthorized;
            return HasToken(context.Request, token);
        }

        status = StatusCodes.Status403Forbidden;
        return admin is not null && IsOwnSocket(context, admin.Address);
    }

    /// <summary>Takes as long for every wrong token of a length, however much of it is right.</summary>
    private static bool HasToken(HttpRequest request, string token)
        => request.Headers.Authorization is [{ } header]
            && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(
                SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim(' '))), SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>
    /// Not just any unix socket: an app that hosts the library may have one behind a web server, open to the world. Only the server listens on
    /// the admin address.
    /// </summary>
    private static bool IsOwnSocket(HttpContext context, string address)
        => context.Features.Get<IConnectionSocketFeature>()?.Socket.LocalEndPoint is UnixDomainSocketEndPoint socket
            && ProxyAddress.TryParseListen(address, out var own)
            && own!.Kind == ProxyAddressKind.Unix
            && socket.ToString() == own.Host;

    public static Task DenyAsync(HttpContext context, AdminChange change, int status)
    {
        ChangeRecord.Count(context, change, ChangeOutcome.Denied);
        LogDenied(ChangeRecord.Logger(context), ChangeRecord.Who(context), change, status);
        if (status == StatusCodes.Status403Forbidden)
        {
            return AdminResponse.WriteProblemAsync(
                context, status, "Changes are off", "The configuration has no Admin:Token: without one nothing can be changed over the API. Reading needs none.");
        }

        var hasCredentials = context.Request.Headers.Authorization.Count > 0;
        context.Response.Headers.WWWAuthenticate = hasCredentials ? "Bearer realm=\"kestrelstream\", error=\"invalid_token\"" : "Bearer realm=\"kestrelstream\"";
        return AdminResponse.WriteProblemAsync(
            context, status, "Not authorized", hasCredentials ? "The token is not that of the configuration." : "Changes need the header Authorization: Bearer, with the Admin:Token of the configuration.");
    }

    [LoggerMessage(EventIds.ChangeDenied, LogLevel.Warning, "API: {Who} was denied a change ({Change}) with {Status}")]
    private static partial void LogDenied(ILogger logger, string who, AdminChange change, int status);
}
