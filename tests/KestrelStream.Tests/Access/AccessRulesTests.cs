using System.Net;
using System.Net.Sockets;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.Tests.Access;

public sealed class AccessRulesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Allows_NoRuleSpeaksOfTheClient_GoesByWhetherAnybodyIsNamed()
    {
        var denying = Load(new([], ["10.0.0.0/8"], null, null));
        var allowing = Load(new(["10.0.0.0/8"], ["10.9.0.0/16"], null, null));

        Assert.Equal((false, true, true, true), (Allows(denying, "10.0.0.1"), Allows(denying, "192.0.2.1"), Allows(denying, "2001:db8::1"), denying.Allows(Unix())));
        Assert.Equal((true, false, false, false), (Allows(allowing, "10.0.0.1"), Allows(allowing, "10.9.0.1"), Allows(allowing, "2001:db8::1"), allowing.Allows(Unix())));
        Assert.True(Load(new(["unix:"], [], null, null)).Allows(Unix()));
        Assert.False(Load(new([], ["unix:"], null, null)).Allows(Unix()));
    }

    [Fact]
    public void Load_File_HasCommentsAndBlankLines()
    {
        _folder.Write("deny.txt", "# who we know\n\n10.0.0.0/8   # all of it\n\t2001:db8::/32\r\nunix:\n");
        var rules = Load(new([], [], null, "deny.txt"));

        Assert.Equal((2, false, false, false, true), (rules.Count, Allows(rules, "10.1.1.1"), Allows(rules, "2001:db8::9"), rules.Allows(Unix()), Allows(rules, "192.0.2.1")));
    }

    [Fact]
    public void Load_EmptyAllowFile_LetsNobodyIn()
    {
        _folder.Write("allow.txt", "");

        Assert.False(Allows(Load(new([], [], "allow.txt", null)), "192.0.2.1"));
    }

    [Theory]
    [InlineData("10.0.0.0/8\n10.0.0.1/8\n", "\"deny.txt\": line 2: \"10.0.0.1/8\" is not a network; valid: ")]
    [InlineData("deny all;\n", "\"deny.txt\": line 1: \"deny all;\" is not a network; valid: ")]
    [InlineData("192.0.2.0/24\n", "\"deny.txt\": 192.0.2.0/24 is both allowed and denied; valid: ")]
    [InlineData(null, "\"deny.txt\": the file does not exist")]
    public void Load_FileThatIsNotGood_IsAnErrorWithItsPath(string? text, string message)
    {
        if (text is not null)
        {
            _folder.Write("deny.txt", text);
        }

        var errors = new List<ConfigError>();

        Assert.Null(AccessRules.Load(new(["192.0.2.0/24"], [], null, "deny.txt"), "StreamProxy:Routes:a", _folder.Path, errors));
        Assert.Equal("StreamProxy:Routes:a:DenyFile", Assert.Single(errors).Path);
        Assert.StartsWith(message, errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PathThatIsNone_IsAnErrorAndNoException()
    {
        var errors = new List<ConfigError>();

        Assert.Null(AccessRules.Load(new([], [], null, "a\0b"), "StreamProxy:Routes:a", _folder.Path, errors));
        Assert.Single(errors);
        Assert.Empty(Errors(new([], [], "", null)));

        List<ConfigError> Errors(AccessLists lists)
        {
            var found = new List<ConfigError>();
            AccessRules.Load(lists, "StreamProxy:Routes:a", _folder.Path, found);
            return found;
        }
    }

    [Fact]
    public void Watch_FileChanges_IsSwappedWithinASecond_AndAMalformedOneIsRefused()
    {
        var time = new FakeTimeProvider();
        var log = new RecordingLogger();
        _folder.Write("deny.txt", "10.0.0.0/8\n");
        var config = new StreamProxyConfig { Listeners = new Dictionary<string, ListenerConfig> { ["a"] = new() { DenyFile = "deny.txt" } } };
        var errors = new List<ConfigError>();
        var set = AccessRuleSet.Load(config, _folder.Path, errors);
        using var watch = new AccessWatch(time, new Logger<AccessWatch>(new LoggerFactory([log])));
        watch.Follow(set);
        var rules = set.OfListener("A")!;
        Assert.Empty(errors);

        _folder.Write("deny.txt", "192.0.2.0/24\n10.0.0.0/8\n");
        time.Advance(TimeSpan.FromSeconds(0.25));
        time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal((2, false), (rules.Count, Allows(rules, "192.0.2.1")));

        _folder.Write("deny.txt", "192.0.2.0/24\nnonsense\n");
        time.Advance(TimeSpan.FromSeconds(0.25));
        time.Advance(TimeSpan.FromSeconds(0.25));
        time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal((2, false), (rules.Count, Allows(rules, "10.0.0.1")));
        Assert.Single(log.Events, e => e.Message.Contains("line 2: \"nonsense\"", StringComparison.Ordinal));

        File.Delete(_folder["deny.txt"]);
        time.Advance(TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, rules.Count);

        _folder.Write("deny.txt", "172.16.0.0/12\n");
        time.Advance(TimeSpan.FromSeconds(0.25));
        time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal((1, true), (rules.Count, Allows(rules, "10.0.0.1")));
    }

    private static bool Allows(AccessRules rules, string client) => rules.Allows(new IPEndPoint(IPAddress.Parse(client), 1));

    private static UnixDomainSocketEndPoint Unix() => new("/run/client.sock");

    private AccessRules Load(AccessLists lists)
    {
        var errors = new List<ConfigError>();
        var rules = AccessRules.Load(lists, "StreamProxy:Routes:a", _folder.Path, errors);
        Assert.Empty(errors);
        return rules!;
    }
}
