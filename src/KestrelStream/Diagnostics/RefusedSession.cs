using System.Net;
using KestrelStream.Sessions;

namespace KestrelStream.Diagnostics;

/// <summary>A connection that came to nothing: a place in <see cref="RefusedSessions"/>.</summary>
internal readonly record struct RefusedSession
{
    public required long Id { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>From its accept.</summary>
    public required TimeSpan Duration { get; init; }

    public required string Listener { get; init; }

    public required string? Route { get; init; }

    public required string? Cluster { get; init; }

    public required EndPoint? Client { get; init; }

    public required EndPoint? Peer { get; init; }

    public required string? ServerName { get; init; }

    public required SessionEndReason Reason { get; init; }

    public required RefusedBytes? Bytes { get; init; }
}
