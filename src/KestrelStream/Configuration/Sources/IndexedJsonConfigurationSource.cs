using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;

namespace KestrelStream.Configuration.Sources;

/// <summary>A JSON file, as <c>AddJsonFile</c> adds it, that is fit for tens of thousands of keys and refuses keys that are there twice.</summary>
internal sealed class IndexedJsonConfigurationSource : JsonConfigurationSource
{
    public override IConfigurationProvider Build(IConfigurationBuilder builder)
    {
        EnsureDefaults(builder);
        return new IndexedJsonConfigurationProvider(this);
    }
}
