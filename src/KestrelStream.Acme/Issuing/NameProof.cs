using KestrelStream.Acme.Challenges;
using KestrelStream.Acme.Documents;
using KestrelStream.Acme.Protocol;

namespace KestrelStream.Acme.Issuing;

/// <summary>Shows an authority that the names of one order are ours (RFC 8555 §7.5). One per order; not thread-safe.</summary>
internal sealed class NameProof(AcmeAuthority authority, IChallengeResponder responder, IReadOnlyList<string> names, AcmePoll poll) : IDisposable
{
    private readonly List<(string Name, string Token)> _set = [];

    /// <summary>All of an order; null = they are proved.</summary>
    public async Task<AcmeFailure?> ProveAsync(IReadOnlyList<string?> authorizations, CancellationToken cancellation)
    {
        if (authorizations.Count > names.Count)
        {
            return new AcmeFailure("the authority wants more proofs than there are names");
        }

        var pending = new List<Uri>();
        foreach (var authorization in authorizations)
        {
            if (!AcmeHttp.ParseUrl(authorization, "an authorization").IsOk(out var url, out var failure)
                || !(await ReadAsync(url, cancellation)).IsOk(out var document, out failure))
            {
                return failure;
            }

            if (document.Status != "valid")
            {
                if (await AnswerAsync(document, cancellation) is { } refused)
                {
                    return refused;
                }

                pending.Add(url);
            }
        }

        foreach (var url in pending)
        {
            if (await WaitAsync(url, cancellation) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    /// <summary>Nothing is answered any more.</summary>
    public void Dispose() => _set.ForEach(set => responder.Remove(set.Name, set.Token));

    private async Task<AcmeResult<AuthorizationDocument>> ReadAsync(Uri url, CancellationToken cancellation)
    {
        if (!(await authority.PostAsync(url, [], cancellation)).IsOk(out var response, out var failure))
        {
            return failure;
        }

        poll.Hint = response.RetryAfter;
        return response.Read(AcmeJson.Default.AuthorizationDocument);
    }

    /// <summary>Gets ready to answer, and asks to be asked.</summary>
    private async Task<AcmeFailure?> AnswerAsync(AuthorizationDocument authorization, CancellationToken cancellation)
    {
        // An authority must not make us prove anything else.
        var name = names.FirstOrDefault(name => authorization.Identifier is { Type: "dns" } identifier && name.Equals(identifier.Value, StringComparison.OrdinalIgnoreCase));
        if (name is null)
        {
            return new AcmeFailure("the authority wants a proof for a name that was not asked for");
        }

        if (Failure(name, authorization) is { } failed)
        {
            return failed;
        }

        if (authorization.Challenges?.FirstOrDefault(challenge => challenge?.Type == responder.Type) is not { } challenge)
        {
            var offered = string.Join(", ", (authorization.Challenges ?? []).Select(challenge => challenge?.Type).Where(type => type is "http-01" or "dns-01" or "tls-alpn-01"));
            return new AcmeFailure($"{name}: the authority does not offer {responder.Type}, but {(offered.Length > 0 ? offered : "nothing known")}");
        }

        // It becomes part of a path.
        var token = challenge.Token;
        if (!UrlSafeText.IsOne(token))
        {
            return new AcmeFailure($"{name}: the authority's token is not one");
        }

        if (!AcmeHttp.ParseUrl(challenge.Url, "a challenge").IsOk(out var url, out var failure))
        {
            return failure;
        }

        _set.Add((name.ToLowerInvariant(), token));
        responder.Set(name.ToLowerInvariant(), token, authority.Authorize(token));
        return challenge.Status == "pending" ? (await authority.PostAsync(url, "{}"u8.ToArray(), cancellation)).Failure : null;
    }

    private async Task<AcmeFailure?> WaitAsync(Uri url, CancellationToken cancellation)
    {
        for (poll.Restart(); ;)
        {
            await poll.WaitAsync(cancellation);
            if (!(await ReadAsync(url, cancellation)).IsOk(out var authorization, out var failure))
            {
                return failure;
            }

            if (authorization.Status == "valid")
            {
                return null;
            }

            if (Failure(authorization.Identifier?.Value is { } value && names.Contains(value, StringComparer.OrdinalIgnoreCase) ? value : url.AbsoluteUri, authorization) is { } failed)
            {
                return failed;
            }
        }
    }

    private static AcmeFailure? Failure(string name, AuthorizationDocument authorization)
        => authorization.Status == "pending" ? null
            : AcmeFailure.Of($"{name} is not proved", authorization.Challenges?.FirstOrDefault(challenge => challenge?.Error is not null)?.Error);
}
