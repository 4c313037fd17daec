using KestrelStream.Configuration.Reading;
using KestrelStream.Configuration.Sources;
using Microsoft.Extensions.Configuration;

namespace KestrelStream.Configuration;

/// <summary>
/// Reads section <c>StreamProxy</c> of any configuration, strictly: an unknown key, a value of the wrong form, a map in place
/// of a value are errors, all of them collected. Written by hand: a binder would drop unknown keys and needs reflection.
/// Stateless; safe on any thread.
/// </summary>
internal static class ConfigurationReader
{
    public const string DefaultSection = "StreamProxy";

    /// <summary>What values mean, references and duplicates are not looked at: that is the validator's.</summary>
    public static ConfigResult Read(IConfigurationSection section) => Read(new SectionConfigNode(section), section.Path);

    /// <param name="node">The section.</param>
    /// <param name="path">Its path, with which those of errors start.</param>
    public static ConfigResult Read(ConfigNode node, string path)
    {
        var errors = new List<ConfigError>();
        var config = SectionReader.Read(node, path, errors, StreamProxyReader.Read);
        if (config is null && errors.Count == 0)
        {
            // One error for all: the validator's "at least one listener" and the like lie under this path and are left out.
            errors.Add(new ConfigError(path, "the section is missing or empty; valid: a map with at least the keys Listeners, Routes"));
        }

        return new ConfigResult(config ?? new StreamProxyConfig(), errors) { Section = path };
    }
}
