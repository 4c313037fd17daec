using KestrelStream.Model;

namespace KestrelStream.Transport;

/// <summary>Where an engine hands over what it has accepted. Thread-safe.</summary>
internal interface ISessionStarter
{
    /// <summary>Starts the session of an accepted connection and returns at its first wait. Never throws; owns the connection from here on.</summary>
    void Start(StreamConnection client, ListenerState listener, SessionEnvironment environment);
}
