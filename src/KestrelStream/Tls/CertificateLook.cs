namespace KestrelStream.Tls;

/// <summary>One look at the files of a certificate or a folder: which are to be loaded, which are gone. Notes what it saw in the slots. Used once, under the store's lock.</summary>
internal sealed class CertificateLook
{
    /// <summary>With thousands of certificates a look may take long; then it is taken more rarely, so as not to cost more than this part of a core.</summary>
    public const int MaxShareOfCore = 20;

    private readonly DateTimeOffset _now;

    public CertificateLook(CertificateState state, TimeProvider time)
    {
        _now = time.GetUtcNow();
        WhyUnreadable = state.WhyUnreadable;
        var started = time.GetTimestamp();
        if (state.Folder is not { } folder)
        {
            foreach (var slot in state.Slots.Values)
            {
                LookAtPair(slot, CertificateFiles.Read(slot.Paths));
            }
        }
        else if (started >= folder.NextScan || folder.HasOtherNames())
        {
            LookAtFolder(state, folder);
            folder.NextScan = time.GetTimestamp() + ((time.GetTimestamp() - started) * MaxShareOfCore);
        }
        else
        {
            foreach (var slot in state.Slots.Values)
            {
                if (slot.Seen is not null)
                {
                    LookAgain(slot);
                }
            }
        }

        Elapsed = time.GetElapsedTime(started);
    }

    /// <summary>Whose files have changed and seem complete, with their state.</summary>
    public List<(CertificateSlot Slot, CertificateFiles Files)> Due { get; } = [];

    /// <summary>Whose files are gone from a folder.</summary>
    public List<CertificateSlot> Gone { get; } = [];

    /// <summary>Some files have changed just now: look again soon.</summary>
    public bool IsSettling { get; private set; }

    /// <summary>Something is otherwise than at the last look.</summary>
    public bool HasNews { get; private set; }

    /// <summary>The folder cannot be read; null = it can.</summary>
    public string? WhyUnreadable { get; private set; }

    public TimeSpan Elapsed { get; }

    private void LookAtPair(CertificateSlot slot, CertificateFiles files)
    {
        if (slot.Entry is not null || files.Certificate.IsThere)
        {
            Look(slot, files);
        }
        else if (slot.Seen is not null)
        {
            // What was refused is gone, and ACME brings another: not there yet is no mistake.
            slot.Forget();
            HasNews = true;
        }
    }

    private void LookAtFolder(CertificateState state, CertificateFolder folder)
    {
        if (!folder.TryScan(out var pairs, out var whyNot))
        {
            WhyUnreadable = whyNot;
            return;
        }

        WhyUnreadable = null;
        var found = new HashSet<CertificateSlot>(pairs.Count);
        foreach (var (paths, files) in pairs)
        {
            if (!state.Slots.TryGetValue(paths.Path, out var slot))
            {
                state.Slots.Add(paths.Path, slot = new CertificateSlot(paths, entry: null));
            }

            slot.Paths = paths;
            found.Add(slot);
            Look(slot, files);
        }

        if (found.Count == state.Slots.Count)
        {
            return;
        }

        // Not among the pairs: if the certificate is there its key is not, and what is served stays.
        foreach (var slot in state.Slots.Values.Where(slot => !found.Contains(slot)))
        {
            LookAgain(slot);
        }
    }

    private void Look(CertificateSlot slot, CertificateFiles files)
    {
        if (files == slot.Entry?.Files)
        {
            HasNews |= slot.Seen is not null;
            slot.Forget();
        }
        else if (slot.Seen != files)
        {
            // Two looks must agree: between two writes, and between the certificate and its key, there is always a moment.
            slot.Seen = files;
            HasNews = IsSettling = true;
        }
        else if (slot.Refused != files || _now >= slot.RetryAt)
        {
            HasNews = true;
            Due.Add((slot, files));
        }
    }

    private void LookAgain(CertificateSlot slot)
    {
        var files = CertificateFiles.Read(slot.Paths);
        if (files.Certificate.IsThere)
        {
            Look(slot, files);
        }
        else if (slot.Seen == files || slot.Entry is null)
        {
            HasNews = true;
            Gone.Add(slot);
        }
        else
        {
            slot.Seen = files;
            HasNews = IsSettling = true;
        }
    }
}
