namespace KestrelStream.TestKit.Peers;

/// <summary>A program that tests talk to is not on this machine. Fails the test: a skipped one proves nothing.</summary>
public sealed class PeerMissingException(string program, string package)
    : Exception($"The program \"{program}\" is not installed; on Debian: apt-get install {package} (./test.sh does it)");
