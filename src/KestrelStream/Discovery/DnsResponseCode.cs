namespace KestrelStream.Discovery;

/// <summary>How a name server has taken a query. Values that have no name here are errors too.</summary>
internal enum DnsResponseCode : ushort
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
