namespace KestrelStream.StartTls.MySql;

/// <summary>What server and client say they can: those that change how packets are read.</summary>
[Flags]
internal enum MySqlCapabilities : uint
{
    None = 0,
    LongPassword = 1,
    ConnectWithDatabase = 1 << 3,
    Protocol41 = 1 << 9,
    Ssl = 1 << 11,
    SecureConnection = 1 << 15,
    PluginAuth = 1 << 19,
    LengthEncodedAnswer = 1 << 21,
}
