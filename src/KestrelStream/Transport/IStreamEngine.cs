using System.Net;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Transport;

/// <summary>What carries sessions: accepts and dials connections of its own kind. One for the whole process.</summary>
internal interface IStreamEngine : IConnectionListenerFactory
{
    /// <summary>As the log shows it.</summary>
    string Name { get; }

    /// <summary>Where to dial for no session in particular; another one each time, where there are several. From any thread.</summary>
    SessionEnvironment NextEnvironment();
}
