using KestrelStream.Diagnostics;
using Xunit;

namespace KestrelStream.Tests.Diagnostics;

public sealed class OpenDescriptorsTests
{
    [Fact]
    public void Count_FilesAreOpened_GoesUpByTheirNumber()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // Others in this process open and close some meanwhile; before Linux 6.2 one object lists them every few seconds only.
        const int Number = 400;
        var before = new OpenDescriptors().Count();
        var files = Enumerable.Range(0, Number).Select(_ => File.OpenHandle("/dev/null")).ToList();
        var after = new OpenDescriptors().Count();
        files.ForEach(file => file.Dispose());

        Assert.True(before > 2);
        Assert.InRange(after - before, Number / 2, Number * 2);
    }
}
