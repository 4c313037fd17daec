namespace KestrelStream.StartTls;

/// <summary>What a command before TLS is answered with, and what comes of it.</summary>
/// <param name="Text">With its line ends.</param>
/// <param name="Status">Ready = TLS follows, Quit = the connection ends; null = the talk goes on.</param>
internal readonly record struct LineAnswer(string Text, StartTlsStatus? Status = null);
