using System.Text;
using System.Text.Json;
using KestrelStream.Admin;
using KestrelStream.Admin.Explaining;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Model;
using KestrelStream.Server.Demo;
using KestrelStream.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Server.Commands;

/// <summary><c>kestrelstream explain</c>: where a client would go by a configuration file, and why. Touches nothing that runs.</summary>
internal static class ExplainCommand
{
    /// <summary>Longer ones are refused by every listener.</summary>
    private const int MaxHelloBytes = 1024 * 1024;

    /// <summary>Routes that do not fit; those that nearly do come first.</summary>
    private const int MaxOthers = 40;

    public static async Task<int> RunAsync(FileInfo file, string? listener, string? sni, string? alpn, string? client, FileInfo? hello, bool asJson)
    {
        if (!file.Exists)
        {
            return await FailAsync($"{file.FullName}: the file does not exist");
        }

        if (hello is not null && !(hello.Exists && hello.Length <= MaxHelloBytes))
        {
            return await FailAsync($"{hello.FullName}: the file does not exist, or has more than {MaxHelloBytes} bytes");
        }

        using var configFile = new ConfigFile(file, TimeProvider.System);
        DemoCertificate.Ensure(configFile.Demo, configFile.BasePath);
        await using var app = ServerHost.Build(configFile);
        var errors = new List<ConfigError>();
        if (app.Services.GetRequiredService<StreamProxyManager>().Preview(errors) is not { } snapshot)
        {
            return await FailAsync(string.Join(Environment.NewLine, errors));
        }

        // The only listener need not be named.
        listener ??= snapshot.Listeners.Count == 1 ? snapshot.Listeners.Keys.First() : null;
        if (listener is null)
        {
            return await FailAsync($"--listener is missing; valid: {ErrorText.Names([.. snapshot.Listeners.Keys])}");
        }

        var bytes = hello is null ? null : ReadHello(await File.ReadAllBytesAsync(hello.FullName));
        if (ExplainQuestion.Read(listener, sni, alpn, client, bytes, out var error) is not { } question)
        {
            return await FailAsync(error!);
        }

        if (Explainer.Explain(snapshot, question) is not { } explanation)
        {
            return await FailAsync(ErrorText.NotOneOf(question.Listener, "a listener", [.. snapshot.Listeners.Keys]));
        }

        Console.Write(asJson
            ? JsonSerializer.Serialize(explanation, AdminJson.Default.ApiExplanation) + Environment.NewLine
            : Describe(question, explanation, snapshot));
        return ExitCode.Ok;
    }

    /// <summary>Bytes as they were captured, or their hex digits, as the API shows them.</summary>
    private static byte[] ReadHello(byte[] content)
        => Encoding.UTF8.GetString(content) is var text && ExplainQuestion.ReadHex(text) is { } bytes ? bytes : content;

    private static string Describe(ExplainQuestion question, ApiExplanation explanation, ProxySnapshot snapshot)
    {
        var text = new StringBuilder();
        var client = explanation.Client;
        text.Append("Client: ").AppendJoin(", ", new[]
        {
            client.Kind switch { "tls" => "TLS", "not_tls" => "not TLS", "start_tls" => "asks for TLS in the clear", "any" => "whoever comes", "too_large" => "a ClientHello that is too large", var kind => $"a ClientHello that is {kind}" },
            client.Sni, client.Alpn.Count > 0 ? "ALPN " + string.Join(" ", client.Alpn) : null, client.Address is { } address ? "from " + address : null, client.Error,
        }.Where(part => part is not null)).AppendLine();
        text.AppendLine($"Listener {question.Listener}, its routes in the order of trial:");
        var others = explanation.Considered.Count(one => !one.Matched) - MaxOthers;
        Append(text, explanation.Considered.Take(explanation.Considered.Count - Math.Max(0, others)).Select(one => (Mark(one.Route == explanation.Route, one.Matched), one.Route, one.Why)));
        if (others > 0)
        {
            text.AppendLine($"  - and {others} more that do not fit");
        }

        if (explanation.Certificate is { } certificate)
        {
            text.AppendLine($"Certificate: {certificate}");
        }

        if (explanation.Cluster is { } cluster)
        {
            text.AppendLine($"Cluster {cluster}, its members:");
            Append(text, explanation.Members.Select(one => (Mark(one.Chosen, one.Available), one.Destination, one.Why)));
            foreach (var source in snapshot.Clusters[cluster].Model.Sources)
            {
                text.AppendLine($"  ? {source.Id}  {source.Address} is a name, which is not looked up here");
            }

            text.AppendLine("  (as at start: what is up or full a running proxy says, at /api/explain)");
        }

        return text.Append("=> ").AppendLine(Outcome(explanation)).ToString();
    }

    private static string Outcome(ApiExplanation explanation) => explanation switch
    {
        { Destination: { } destination } => $"goes to {destination} of {explanation.Cluster} by route {explanation.Route}",
        { Client.Kind: "start_tls" } => "is asked to begin with TLS; its ClientHello decides",
        { EndReason: { } reason } => $"ends as {reason}{(explanation.Route is { } route ? $" by route {route}" : "")}",
        _ => $"taken by route {explanation.Route}: {explanation.Action}",
    };

    private static char Mark(bool isChosen, bool isPossible) => isChosen ? '*' : isPossible ? '+' : '-';

    private static void Append(StringBuilder text, IEnumerable<(char Mark, string Name, string Why)> lines)
    {
        var all = lines.ToList();
        var width = all.Select(line => line.Name.Length).DefaultIfEmpty().Max();
        foreach (var (mark, name, why) in all)
        {
            text.AppendLine($"  {mark} {name.PadRight(width)}  {why}");
        }
    }

    private static async Task<int> FailAsync(string message)
    {
        await Console.Error.WriteLineAsync(message);
        return ExitCode.InvalidConfig;
    }
}
