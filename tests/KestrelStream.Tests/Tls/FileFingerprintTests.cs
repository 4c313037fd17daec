using KestrelStream.TestKit;
using KestrelStream.Tls;
using Xunit;

namespace KestrelStream.Tests.Tls;

public sealed class FileFingerprintTests : IDisposable
{
    private static readonly DateTime s_written = new(2024, 6, 7, 8, 9, 10, DateTimeKind.Utc);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_LinkInTheMiddleSwapped_Differs()
    {
        // As Kubernetes mounts a secret; length and time are the same on purpose.
        Write("..2024_1/tls.crt");
        Write("..2024_2/tls.crt");
        Directory.CreateSymbolicLink(_folder["..data"], "..2024_1");
        File.CreateSymbolicLink(_folder["tls.crt"], "..data/tls.crt");

        var before = FileFingerprint.Read(_folder["tls.crt"]);
        Directory.CreateSymbolicLink(_folder["..data_tmp"], "..2024_2");
        Directory.Delete(_folder["..data"]);
        Directory.Move(_folder["..data_tmp"], _folder["..data"]);
        var after = FileFingerprint.Read(_folder["tls.crt"]);

        Assert.Equal(new FileFingerprint(_folder["..2024_1", "tls.crt"], 3, s_written.Ticks), before);
        Assert.Equal(new FileFingerprint(_folder["..2024_2", "tls.crt"], 3, s_written.Ticks), after);
    }

    [Fact]
    public void Read_RelativeLinkUpwards_IsFollowed()
    {
        Write("archive/name/cert1.pem");
        Directory.CreateDirectory(_folder["live", "name"]);
        File.CreateSymbolicLink(_folder["live", "name", "cert.pem"], "../../archive/./name/cert1.pem");

        Assert.Equal(_folder["archive", "name", "cert1.pem"], FileFingerprint.Read(_folder["live", "name", "cert.pem"]).Target);
    }

    [Fact]
    public void Read_AbsoluteLink_IsFollowed()
    {
        Write("a/file");
        Directory.CreateSymbolicLink(_folder["b"], _folder["a"]);

        Assert.Equal(_folder["a", "file"], FileFingerprint.Read(_folder["b", "file"]).Target);
    }

    [Fact]
    public void Read_LengthOrTimeOfWriting_Differs()
    {
        Write("file");
        var before = FileFingerprint.Read(_folder["file"]);

        File.SetLastWriteTimeUtc(_folder["file"], s_written.AddTicks(1));
        Assert.NotEqual(before, FileFingerprint.Read(_folder["file"]));
        File.WriteAllText(_folder["file"], "four");
        File.SetLastWriteTimeUtc(_folder["file"], s_written);
        Assert.NotEqual(before, FileFingerprint.Read(_folder["file"]));
        Write("file");
        Assert.Equal(before, FileFingerprint.Read(_folder["file"]));
    }

    [Fact]
    public void Read_NothingThere_IsAStateToo()
    {
        File.CreateSymbolicLink(_folder["dangling"], "none");
        File.CreateSymbolicLink(_folder["loop"], "loop");
        Write("file");

        Assert.Equal(-1, FileFingerprint.Read(_folder["none"]).Length);
        Assert.Equal(-1, FileFingerprint.Read(_folder["dangling"]).Length);
        Assert.Equal(-1, FileFingerprint.Read(_folder["loop"]).Length);
        Assert.Equal(-1, FileFingerprint.Read(_folder.Path).Length);
        Assert.Equal(-1, FileFingerprint.Read(_folder["file", "below"]).Length);
        Assert.Equal(FileFingerprint.Read(_folder["none"]), FileFingerprint.Read(_folder["none"]));
    }

    private void Write(string name) => File.SetLastWriteTimeUtc(_folder.Write(name, "abc"), s_written);
}
