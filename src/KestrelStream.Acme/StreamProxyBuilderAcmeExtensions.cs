using KestrelStream.Acme;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Issuing;
using KestrelStream.Management;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds ACME to the result of <c>AddStreamProxy()</c>.</summary>
public static class StreamProxyBuilderAcmeExtensions
{
    /// <summary>Certificates with <see cref="KestrelStream.Configuration.CertificateConfig.Acme"/> are got and renewed by the app itself.</summary>
    public static IStreamProxyBuilder AddAcme(this IStreamProxyBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.TryAddSingleton(new AcmeTimings());
        services.TryAddSingleton<TlsAlpnResponder>();
        services.TryAddSingleton<HttpResponder>();
        services.TryAddSingleton<HttpChallengeServer>();
        services.TryAddSingleton<AcmeSource>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ICertificateSource, AcmeSource>(provider => provider.GetRequiredService<AcmeSource>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, AcmeSource>(provider => provider.GetRequiredService<AcmeSource>()));
        return builder;
    }
}
