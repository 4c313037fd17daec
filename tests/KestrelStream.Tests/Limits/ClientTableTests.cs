using System.Net;
using KestrelStream.Limits;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.Tests.Limits;

public sealed class ClientTableTests : IDisposable
{
    private static readonly ClientLimits s_tenSessions = new(10, default, default);

    private readonly FakeTimeProvider _time = new();
    private readonly ClientTable _table;

    public ClientTableTests() => _table = new ClientTable(_time);

    public void Dispose() => _table.Dispose();

    [Fact]
    public void Enter_MaxSessions_OthersAndOtherScopesAreNotConcerned()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.True(Enter("192.0.2.1", s_tenSessions).IsAllowed);
        }

        Assert.Equal(LimitVerdict.Refused(LimitKind.ClientSessions), Enter("192.0.2.1", s_tenSessions));
        Assert.True(Enter("192.0.2.2", s_tenSessions).IsAllowed);
        Assert.True(Enter("192.0.2.1", s_tenSessions, scope: 2).IsAllowed);
        _table.Leave(Key("192.0.2.1"));
        Assert.True(Enter("192.0.2.1", s_tenSessions).IsAllowed);
    }

    [Fact]
    public void Enter_Rate_IsABurstAndThenTheRate()
    {
        var limits = new ClientLimits(int.MaxValue, Rate(10, burstSeconds: 0.5), default);

        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => Enter("192.0.2.1", limits).IsAllowed));
        _time.Advance(TimeSpan.FromSeconds(0.31));
        Assert.Equal(3, Enumerable.Range(0, 20).Count(_ => Enter("192.0.2.1", limits).IsAllowed));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => Enter("192.0.2.1", limits).IsAllowed));
    }

    [Fact]
    public void Enter_RateThatMayWait_GivesEachItsTurn()
    {
        var limits = new ClientLimits(int.MaxValue, Rate(10, burstSeconds: 0.1, maxWaitSeconds: 0.25), default);

        var waits = Enumerable.Range(0, 5).Select(_ => Enter("192.0.2.1", limits)).ToList();

        Assert.Equal([0, 100, 200], waits.Where(verdict => verdict.IsAllowed).Select(verdict => Math.Round(verdict.Wait.TotalMilliseconds)));
        Assert.Equal(LimitVerdict.Refused(LimitKind.ClientSessionRate), waits[^1]);
    }

    [Fact]
    public void Sweep_WhoHasNothingOnAccount_IsForgotten()
    {
        var limits = new ClientLimits(10, Rate(1, burstSeconds: 5), Rate(1, burstSeconds: 5));
        for (var i = 0; i < 5000; i++)
        {
            Enter($"10.0.{i / 256}.{i % 256}", limits);
        }

        Assert.Equal(5000, _table.Count);
        for (var i = 1; i < 5000; i++)
        {
            _table.Leave(Key($"10.0.{i / 256}.{i % 256}"));
        }

        for (var i = 0; i < 80; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1, _table.Count);
        _table.Leave(Key("10.0.0.0"));
        Assert.True(Enter("10.0.0.0", limits).IsAllowed);
    }

    [Fact]
    public void Enter_BeyondMaxClients_GivesUpOneWithoutASession_OrRefuses()
    {
        _table.MaxClients = 1024;
        var limits = new ClientLimits(1, Rate(0.001, burstSeconds: 1), default);
        for (var i = 0; i < 3000; i++)
        {
            if (Enter($"10.1.{i / 256}.{i % 256}", limits).IsAllowed)
            {
                _table.Leave(Key($"10.1.{i / 256}.{i % 256}"));
            }
        }

        Assert.InRange(_table.Count, 900, 1024);

        var verdicts = Enumerable.Range(0, 3000).Select(i => Enter($"10.2.{i / 256}.{i % 256}", limits)).ToList();
        Assert.InRange(_table.Count, 900, 1024);
        Assert.Contains(LimitVerdict.Refused(LimitKind.Clients), verdicts);
        Assert.InRange(verdicts.Count(verdict => verdict.IsAllowed), 900, 1024);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.254", 24, 64, true)]
    [InlineData("192.0.2.1", "192.0.2.254", 32, 64, false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", 32, 64, true)]
    [InlineData("2001:db8::1", "2001:db8::ffff:1", 32, 64, true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", 32, 64, false)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", 32, 48, true)]
    [InlineData("2001:db8::1", "2001:db8::2", 32, 128, false)]
    [InlineData("2001:db8::1", "2001:db8::2", 32, 126, true)]
    public void Key_Networks_AreOneClient(string one, string other, int prefixV4, int prefixV6, bool expected)
    {
        Assert.True(ClientKey.TryCreate(1, new IPEndPoint(IPAddress.Parse(one), 1), prefixV4, prefixV6, out var first));
        Assert.True(ClientKey.TryCreate(1, new IPEndPoint(IPAddress.Parse(other), 2), prefixV4, prefixV6, out var second));
        Assert.Equal(expected, first == second);
    }

    /// <summary>Many threads, many clients: what was counted in is counted out.</summary>
    [Fact]
    public void Enter_ManyThreads_EveryCountComesBackToZero()
    {
        var limits = new ClientLimits(3, Rate(1_000_000, burstSeconds: 1), default);
        Parallel.For(0, 8, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 20_000; i++)
            {
                var client = $"10.3.0.{random.Next(200)}";
                if (Enter(client, limits).IsAllowed)
                {
                    _table.Leave(Key(client));
                }
            }
        });

        _time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 80; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, _table.Count);
    }

    private static ClientKey Key(string client, int scope = 1)
        => ClientKey.TryCreate(scope, new IPEndPoint(IPAddress.Parse(client), 1), 32, 64, out var key) ? key : throw new ArgumentException(client);

    private LimitVerdict Enter(string client, ClientLimits limits, int scope = 1) => _table.Enter(Key(client, scope), limits, _time.GetTimestamp());

    private RateLimit Rate(double perSecond, double burstSeconds, double maxWaitSeconds = 0)
        => new(perSecond, TimeSpan.FromSeconds(burstSeconds), TimeSpan.FromSeconds(maxWaitSeconds), _time.TimestampFrequency);
}
