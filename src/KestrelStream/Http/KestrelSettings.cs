using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelStream.Http;

/// <summary>What of an app's Kestrel settings is meant for HTTP, without its endpoints. Immutable.</summary>
internal static class KestrelSettings
{
    public static KestrelServerOptions Copy(KestrelServerOptions from)
    {
        var to = new KestrelServerOptions
        {
            ApplicationServices = from.ApplicationServices,
            AddServerHeader = from.AddServerHeader,
            AllowAlternateSchemes = from.AllowAlternateSchemes,
            AllowHostHeaderOverride = from.AllowHostHeaderOverride,
            AllowResponseHeaderCompression = from.AllowResponseHeaderCompression,
            AllowSynchronousIO = from.AllowSynchronousIO,
            DisableStringReuse = from.DisableStringReuse,
            RequestHeaderEncodingSelector = from.RequestHeaderEncodingSelector,
            ResponseHeaderEncodingSelector = from.ResponseHeaderEncodingSelector,
        };
        Copy(from.Limits, to.Limits);
        Copy(from.Limits.Http2, to.Limits.Http2);
        return to;
    }

    // Not MaxConcurrentConnections: the stream listener's MaxConnections has let the client in.
    private static void Copy(KestrelServerLimits from, KestrelServerLimits to)
    {
        to.KeepAliveTimeout = from.KeepAliveTimeout;
        to.MaxConcurrentUpgradedConnections = from.MaxConcurrentUpgradedConnections;
        to.MaxRequestBodySize = from.MaxRequestBodySize;
        to.MaxRequestBufferSize = from.MaxRequestBufferSize;
        to.MaxRequestHeaderCount = from.MaxRequestHeaderCount;
        to.MaxRequestHeadersTotalSize = from.MaxRequestHeadersTotalSize;
        to.MaxRequestLineSize = from.MaxRequestLineSize;
        to.MaxResponseBufferSize = from.MaxResponseBufferSize;
        to.MinRequestBodyDataRate = from.MinRequestBodyDataRate;
        to.MinResponseDataRate = from.MinResponseDataRate;
        to.RequestHeadersTimeout = from.RequestHeadersTimeout;
    }

    private static void Copy(Http2Limits from, Http2Limits to)
    {
        to.HeaderTableSize = from.HeaderTableSize;
        to.InitialConnectionWindowSize = from.InitialConnectionWindowSize;
        to.InitialStreamWindowSize = from.InitialStreamWindowSize;
        to.KeepAlivePingDelay = from.KeepAlivePingDelay;
        to.KeepAlivePingTimeout = from.KeepAlivePingTimeout;
        to.MaxFrameSize = from.MaxFrameSize;
        to.MaxRequestHeaderFieldSize = from.MaxRequestHeaderFieldSize;
        to.MaxStreamsPerConnection = from.MaxStreamsPerConnection;
    }
}
