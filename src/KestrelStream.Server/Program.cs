using System.CommandLine;
using KestrelStream.Server.Commands;
using KestrelStream.Server.Commands.Top;
using KestrelStream.Server.Hosting;

SocketCompletions.RunInline();

// kestrelstream [run] [--config FILE] | check [--config FILE] | explain … [--config FILE] | top … [--config FILE] | --version | --help
var config = new Option<FileInfo>("--config", "-c")
{
    Description = "The configuration file",
    HelpName = "FILE",
    Recursive = true,
    DefaultValueFactory = _ => new FileInfo("appsettings.json"),
};

var run = new Command("run", "Serve until SIGTERM or SIGINT, then drain. SIGHUP or a changed file reloads. (Default command)");
run.SetAction((arguments, _) => RunCommand.RunAsync(arguments.GetValue(config)!));

var check = new Command("check", "Check everything that start would check; nothing that runs is touched");
check.SetAction((arguments, _) => CheckCommand.RunAsync(arguments.GetValue(config)!));

var listener = new Option<string?>("--listener", "-l") { Description = "Id of the listener that the client comes to; may be left out when there is one", HelpName = "ID" };
var sni = new Option<string?>("--sni") { Description = "Server name that the client asks for", HelpName = "NAME" };
var alpn = new Option<string?>("--alpn") { Description = "Protocols that it offers, a comma between two", HelpName = "LIST" };
var client = new Option<string?>("--client") { Description = "Its address", HelpName = "IP" };
var hello = new Option<FileInfo?>("--hello") { Description = "Its first bytes, as captured or in hex, instead of --sni and --alpn", HelpName = "FILE" };
var json = new Option<bool>("--json") { Description = "The answer of /api/explain" };
var explain = new Command("explain", "Say where a client would go, and why; nothing that runs is touched") { listener, sni, alpn, client, hello, json };
explain.SetAction((arguments, _) => ExplainCommand.RunAsync(
    arguments.GetValue(config)!, arguments.GetValue(listener), arguments.GetValue(sni), arguments.GetValue(alpn), arguments.GetValue(client), arguments.GetValue(hello), arguments.GetValue(json)));

var url = new Option<string?>("--url") { Description = "The admin port; left out = that of the configuration file", HelpName = "URL" };
var once = new Option<bool>("--once") { Description = "Print once and exit" };
var top = new Command("top", "Show what a running proxy does, over its admin port") { url, once };
top.SetAction((arguments, _) => TopCommand.RunAsync(arguments.GetValue(url), arguments.GetValue(config)!, arguments.GetValue(once)));

var root = new RootCommand("KestrelStream: TLS passthrough by SNI, TLS termination, upstream pools, on Kestrel") { config, run, check, explain, top };
root.SetAction((arguments, _) => RunCommand.RunAsync(arguments.GetValue(config)!));

// The host itself listens to SIGTERM and SIGINT and drains; the command line must not cut it short. A defect ends the process as a crash does,
// not with exit code 1, which says that the configuration has mistakes.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
