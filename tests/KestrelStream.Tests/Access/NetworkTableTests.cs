using System.Net;
using KestrelStream.Access;
using Xunit;

namespace KestrelStream.Tests.Access;

public sealed class NetworkTableTests
{
    [Theory]
    [InlineData("10.0.0.1", AccessVerdict.Allow)]
    [InlineData("10.9.0.1", AccessVerdict.Deny)]
    [InlineData("10.9.9.9", AccessVerdict.Allow)]
    [InlineData("10.255.255.255", AccessVerdict.Allow)]
    [InlineData("11.0.0.0", AccessVerdict.None)]
    [InlineData("255.255.255.255", AccessVerdict.Deny)]
    [InlineData("0.0.0.0", AccessVerdict.None)]
    [InlineData("::ffff:10.9.0.1", AccessVerdict.Deny)]
    [InlineData("2001:db8::1", AccessVerdict.Deny)]
    [InlineData("2001:db8:1::1", AccessVerdict.Allow)]
    [InlineData("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AccessVerdict.Allow)]
    public void Verdict_SmallestNetworkDecides(string address, object expected)
    {
        var table = Table("+10.0.0.0/8", "-10.9.0.0/16", "+10.9.9.9/32", "-255.255.255.255/32", "+::/0", "-2001:db8::/32", "+2001:db8:1::/48");

        Assert.Equal(expected, table[IPAddress.Parse(address)]);
    }

    /// <summary>Against the obvious way, for both families and both forms of the table.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(3000)]
    public void Verdict_RandomNetworks_IsThatOfTheLongestPrefix(int count)
    {
        var random = new Random(count);
        var rules = new Dictionary<IPNetwork, AccessVerdict>();
        while (rules.Count < count)
        {
            rules[RandomNetwork(random)] = random.Next(2) == 0 ? AccessVerdict.Allow : AccessVerdict.Deny;
        }

        var table = new NetworkTable([.. rules.Select(rule => (rule.Key, rule.Value))]);
        var networks = rules.Keys.ToList();
        for (var i = 0; i < 4000; i++)
        {
            var address = i % 2 == 0 ? RandomNetwork(random).BaseAddress : Neighbour(networks[random.Next(networks.Count)], random);
            var smallest = rules.Where(rule => rule.Key.Contains(address)).OrderByDescending(rule => rule.Key.PrefixLength).FirstOrDefault();

            Assert.Equal(smallest.Value, table[address]);
        }
    }

    /// <summary>First or last of a network, or one beside it.</summary>
    private static IPAddress Neighbour(IPNetwork network, Random random)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        if (random.Next(2) == 0)
        {
            for (var bit = network.PrefixLength; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
            }
        }

        var step = random.Next(3) - 1;
        for (var i = bytes.Length - 1; i >= 0 && step != 0; i--)
        {
            var next = bytes[i] + step;
            bytes[i] = (byte)next;
            step = next is < 0 or > 255 ? step : 0;
        }

        return new IPAddress(bytes);
    }

    private static IPNetwork RandomNetwork(Random random)
    {
        // Few first bytes, so that networks nest.
        var bytes = new byte[random.Next(2) == 0 ? 4 : 16];
        random.NextBytes(bytes);
        bytes[0] = (byte)(random.Next(4) * 85);
        var length = random.Next(bytes.Length * 8 + 1);
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        var address = new IPAddress(bytes);
        return address.IsIPv4MappedToIPv6 ? RandomNetwork(random) : new IPNetwork(address, length);
    }

    private static NetworkTable Table(params string[] rules)
        => new([.. rules.Select(rule => (IPNetwork.Parse(rule[1..]), rule[0] == '+' ? AccessVerdict.Allow : AccessVerdict.Deny))]);
}
