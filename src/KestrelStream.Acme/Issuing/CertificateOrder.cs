using System.Buffers.Text;
using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Protocol;
using KestrelStream.Acme.Storage;
using KestrelStream.Configuration;

namespace KestrelStream.Acme.Issuing;

/// <summary>
/// One attempt to get one certificate: order → proofs → signing request → certificate (RFC 8555 §7.4). What is under way is kept, so that an attempt after a
/// restart goes on with it. One per attempt; not thread-safe.
/// </summary>
internal sealed class CertificateOrder(
    string id, AcmeConfig config, AcmeAuthority authority, AcmeStorage storage, IChallengeResponder responder, AcmeTimings timings, TimeProvider time)
{
    private readonly AcmePoll _poll = new(timings, time);

    /// <param name="replaces">RFC 9773 §4.1 of the certificate that is renewed; null = none.</param>
    /// <param name="cancellation">Of the whole.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public async Task<AcmeResult<CertificateChain>> RunAsync(string? replaces, CancellationToken cancellation)
    {
        storage.EnsureWritable();
        if (!(await authority.GetDirectoryAsync(cancellation)).IsOk(out var directory, out var failure))
        {
            return failure;
        }

        if (await authority.SignInAsync(cancellation) is { } noAccount)
        {
            return noAccount;
        }

        if (await ResumeAsync(cancellation) is { } resumed)
        {
            return resumed;
        }

        storage.DeleteOrder(id);
        using var newKey = CertificateKey.Create(config.KeyType);
        return await OrderAsync(directory, newKey, directory.RenewalInfo is null ? null : replaces, cancellation);
    }

    /// <summary>Goes on with the order that was kept. Null = there is none, or it has ended badly: then another one is due.</summary>
    private async Task<AcmeResult<CertificateChain>?> ResumeAsync(CancellationToken cancellation)
    {
        if (storage.ReadOrder(id) is not { } stored || !stored.Fits(config) || AcmeHttp.ParseUrl(stored.Url, "the order").Value is not { } url)
        {
            return null;
        }

        using var key = CertificateKey.FromPem(stored.Key!, config.KeyType);
        if (key is null)
        {
            return null;
        }

        if (!(await ReadAsync(url, [], cancellation)).IsOk(out var order, out var failure))
        {
            return failure.IsRefusal ? null : (AcmeResult<CertificateChain>)failure;
        }

        return order.Status == "invalid" ? null : await FinishAsync(url, order, key, cancellation);
    }

    private async Task<AcmeResult<CertificateChain>> OrderAsync(DirectoryDocument directory, CertificateKey key, string? replaces, CancellationToken cancellation)
    {
        if (!AcmeHttp.ParseUrl(directory.NewOrder, "orders").IsOk(out var newOrder, out var failure))
        {
            return failure;
        }

        var result = await authority.PostAsync(newOrder, Request(replaces), cancellation);
        if (replaces is not null && result.Failure is { Type: ProblemDocument.AlreadyReplaced })
        {
            result = await authority.PostAsync(newOrder, Request(null), cancellation);
        }

        if (!result.IsOk(out var response, out failure) || !response.Read(AcmeJson.Default.OrderDocument).IsOk(out var order, out failure)
            || !AcmeHttp.ParseUrl(response.Location?.AbsoluteUri, "the order").IsOk(out var url, out failure))
        {
            return failure;
        }

        storage.WriteOrder(id, new StoredOrder { Directory = config.Directory, Url = url.AbsoluteUri, Names = config.Names, KeyType = config.KeyType, Key = key.ToPem() });
        return await FinishAsync(url, order, key, cancellation);
    }

    /// <summary>From whatever state an order is in.</summary>
    private async Task<AcmeResult<CertificateChain>> FinishAsync(Uri url, OrderDocument? order, CertificateKey key, CancellationToken cancellation)
    {
        using var proof = new NameProof(authority, responder, config.Names, _poll);
        var isFinalized = false;
        for (_poll.Restart(); ;)
        {
            if (order is null)
            {
                if (!(await ReadAsync(url, [], cancellation)).IsOk(out order, out var unread))
                {
                    return unread;
                }
            }

            switch (order.Status)
            {
                case "pending" when await proof.ProveAsync(order.Authorizations ?? [], cancellation) is { } unproved:
                    // The authority has closed it, or will not have it proved any more.
                    storage.DeleteOrder(id);
                    return unproved;

                case "ready" when !isFinalized:
                    isFinalized = true;
                    if (!AcmeHttp.ParseUrl(order.Finalize, "the signing request").IsOk(out var finalize, out var failure)
                        || !(await ReadAsync(finalize, SigningRequest(key), cancellation)).IsOk(out order, out failure))
                    {
                        return failure;
                    }

                    if (order.Status == "ready")
                    {
                        break;
                    }

                    continue;

                case "pending" or "ready" or "processing":
                    break;

                case "valid":
                    return await DownloadAsync(order, key, cancellation);

                default:
                    storage.DeleteOrder(id);
                    return AcmeFailure.Of("the authority has refused the order", order.Error);
            }

            await _poll.WaitAsync(cancellation);
            order = null;
        }
    }

    private async Task<AcmeResult<OrderDocument>> ReadAsync(Uri url, byte[] payload, CancellationToken cancellation)
    {
        if (!(await authority.PostAsync(url, payload, cancellation)).IsOk(out var response, out var failure))
        {
            return failure;
        }

        _poll.Hint = response.RetryAfter;
        return response.Read(AcmeJson.Default.OrderDocument);
    }

    private async Task<AcmeResult<CertificateChain>> DownloadAsync(OrderDocument order, CertificateKey key, CancellationToken cancellation)
    {
        if (!AcmeHttp.ParseUrl(order.Certificate, "the certificate").IsOk(out var url, out var failure)
            || !(await authority.PostAsync(url, [], cancellation)).IsOk(out var response, out failure))
        {
            return failure;
        }

        if (!CertificateChain.Read(response.Body, key, config.Names, time.GetUtcNow()).IsOk(out var chain, out failure))
        {
            storage.DeleteOrder(id);
            return failure;
        }

        storage.WriteCertificate(id, config, chain.Pem, key.ToPem());
        storage.DeleteOrder(id);
        return chain;
    }

    private byte[] Request(string? replaces) => SignedMessage.Json(writer =>
    {
        writer.WriteStartArray("identifiers");
        foreach (var name in config.Names)
        {
            writer.WriteStartObject();
            writer.WriteString("type", "dns");
            writer.WriteString("value", name.ToLowerInvariant());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (replaces is not null)
        {
            writer.WriteString("replaces", replaces);
        }
    });

    private byte[] SigningRequest(CertificateKey key)
        => SignedMessage.Json(writer => writer.WriteString("csr", Base64Url.EncodeToString(key.CreateSigningRequest([.. config.Names.Select(name => name.ToLowerInvariant())]))));
}
