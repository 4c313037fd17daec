using System.Globalization;
using KestrelStream.Load.Proxies;
using KestrelStream.Load.Scenarios;

namespace KestrelStream.Load;

/// <summary>The command line of a run.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        Compares the CPU and memory that proxies need for the same work, and how long small messages take beside bulk transfers.

          --scenarios LIST   of tcp,sni,msg,bulk,upload,handshake,resumed,tlsbulk,fair,idle,many
                             (default: all but upload)
          --proxies LIST     of nginx,nginx2,haproxy,sockets,eventloop (default: all; nginx is the baseline, nginx2 checks it);
                             eventloop-log is EventLoop with an access log, eventloop-other another build
          --rounds N         rounds of each scenario (default 20)
          --quick            3 rounds: two to three minutes, less exact
          --json FILE        write every sample to FILE as well
          --server FILE      the published KestrelStream server
          --other FILE       another published server, for eventloop-other
          --configs DIR      folder of the config templates

        Exit code: 0 all measured · 1 something failed or a figure is void · 2 wrong usage · 3 nginx against itself is not 1.00 ± 0.05 (fair: ± 0.15).
        """;

    /// <summary>Starts with many sessions: the question is whether all of them work.</summary>
    public const int ManyRounds = 1;

    private const int DefaultRounds = 20;
    private const int QuickRounds = 3;
    private const int MostIdleRounds = 3;

    public IReadOnlyList<string> Scenarios { get; init; } = ScenarioCatalog.Default;

    public IReadOnlyList<string> Proxies { get; init; } = ProxyCatalog.Default;

    public int? ChosenRounds { get; init; }

    public bool IsQuick { get; init; }

    public string? Json { get; init; }

    public string? Server { get; init; }

    public string? Other { get; init; }

    public string Configs { get; init; } = ".";

    public int Rounds => ChosenRounds ?? (IsQuick ? QuickRounds : DefaultRounds);

    /// <summary>Starts with idle sessions: memory repeats better than CPU time, and a start takes long.</summary>
    public int IdleRounds => IsQuick ? 1 : Math.Min(Rounds, MostIdleRounds);

    /// <summary>Parses the arguments; <paramref name="error"/> says what is wrong with them when the result is null.</summary>
    public static LoadOptions? TryParse(string[] arguments, out string error)
    {
        var options = new LoadOptions();
        error = "";
        for (int i = 0; i < arguments.Length; i++)
        {
            string name = arguments[i];
            if (name == "--quick")
            {
                options = options with { IsQuick = true };
                continue;
            }

            string? value = i + 1 < arguments.Length ? arguments[++i] : null;
            LoadOptions? next = value is null ? null : options.With(name, value, ref error);
            if (next is null)
            {
                error = error.Length > 0 ? error : $"unknown option or missing value: {name}";
                return null;
            }

            options = next;
        }

        return options;
    }

    private LoadOptions? With(string name, string value, ref string error) => name switch
    {
        "--scenarios" => List(value, ScenarioCatalog.Ids, ref error) is { } list ? this with { Scenarios = list } : null,
        "--proxies" => List(value, ProxyCatalog.Ids, ref error) is { } list ? this with { Proxies = list } : null,
        "--rounds" when int.TryParse(value, CultureInfo.InvariantCulture, out int rounds) && rounds > 0 => this with { ChosenRounds = rounds },
        "--json" => this with { Json = value },
        "--server" => this with { Server = value },
        "--other" => this with { Other = value },
        "--configs" => this with { Configs = value },
        _ => null,
    };

    private static List<string>? List(string value, IReadOnlyList<string> known, ref string error)
    {
        string[] chosen = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] unknown = [.. chosen.Except(known)];
        if (unknown.Length > 0 || chosen.Length == 0)
        {
            error = $"'{string.Join(',', unknown)}' is none of {string.Join(',', known)}";
            return null;
        }

        // In catalogue order whatever the order given: the baseline comes first in the tables.
        return [.. known.Where(chosen.Contains)];
    }
}
