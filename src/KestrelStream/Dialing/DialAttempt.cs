using System.Net;
using KestrelStream.Transport;

namespace KestrelStream.Dialing;

/// <summary>One dial of a session, as log and API show it.</summary>
internal readonly record struct DialAttempt(string Destination, EndPoint? Address, ConnectStatus Result, TimeSpan Elapsed);
