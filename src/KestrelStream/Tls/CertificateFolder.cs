using System.IO.Enumeration;

namespace KestrelStream.Tls;

/// <summary>
/// A folder of certificates: which pairs are in it and in the folders right below it (certbot's <c>live</c>), and the state of their files. Hidden names are
/// passed over: editors and Kubernetes keep what is not finished there. Not thread-safe.
/// </summary>
internal sealed class CertificateFolder(string path)
{
    private static readonly EnumerationOptions s_all = new() { AttributesToSkip = 0, IgnoreInaccessible = false, MatchType = MatchType.Simple };

    // The folders of the last scan, with the time of their last change then.
    private List<(string Path, DateTime Changed)> _folders = [];

    /// <summary>Absolute.</summary>
    public string Path => path;

    /// <summary>Timestamp before which the watch scans it only when it <see cref="HasOtherNames"/>.</summary>
    public long NextScan { get; set; }

    /// <summary>Whether since the last scan a file was added, removed or replaced, which is how careful programs write; a file that was written in its place is not seen.</summary>
    public bool HasOtherNames()
    {
        foreach (var (folder, changed) in _folders)
        {
            if (Directory.GetLastWriteTimeUtc(folder) != changed)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>All pairs. False = the folder cannot be read.</summary>
    public bool TryScan(out List<(CertificatePaths Paths, CertificateFiles Files)> pairs, out string whyNot)
    {
        pairs = [];
        whyNot = "";
        var folders = new List<(string, DateTime)>();
        try
        {
            var below = new List<string>();
            Scan(path, pairs, folders, below);
            foreach (var folder in below)
            {
                try
                {
                    Scan(folder, pairs, folders, below: null);
                }
                catch (Exception e) when (e is DirectoryNotFoundException or UnauthorizedAccessException)
                {
                    // Gone by now, or not for us, as lost+found.
                }
            }

            _folders = folders;
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            whyNot = File.Exists(path) ? $"'{path}' is a file, not a folder" : $"'{path}' does not exist";
        }
        catch (UnauthorizedAccessException)
        {
            whyNot = $"'{path}' may not be read by this user";
        }
        catch (IOException e)
        {
            whyNot = $"'{path}' cannot be read: {e.Message}";
        }

        return false;
    }

    private static void Scan(string folder, List<(CertificatePaths, CertificateFiles)> pairs, List<(string, DateTime)> folders, List<string>? below)
    {
        // Before its entries: what changes meanwhile shows at the next look.
        var changed = Directory.GetLastWriteTimeUtc(folder);
        var target = FileFingerprint.FollowLinks(folder);
        var files = new Dictionary<string, FileFingerprint>();
        foreach (var (name, isFolder, fingerprint) in new FileSystemEnumerable<(string Name, bool IsFolder, FileFingerprint Fingerprint)>(folder, (ref entry) => Describe(ref entry, folder, target), s_all)
        {
            ShouldIncludePredicate = (ref entry) => entry.FileName[0] != '.' && (entry.IsDirectory || CertificateFileNames.IsOurs(entry.FileName)),
        })
        {
            if (!isFolder)
            {
                files.Add(name, fingerprint);
            }
            else if (below is not null)
            {
                below.Add(System.IO.Path.Combine(folder, name));
            }
        }

        folders.Add((folder, changed));
        foreach (var (certificate, key) in CertificateFileNames.Pair(files.Keys.ToHashSet()))
        {
            pairs.Add((
                new CertificatePaths(System.IO.Path.Combine(folder, certificate), key is null ? null : System.IO.Path.Combine(folder, key)),
                new CertificateFiles(files[certificate], key is null ? null : files[key])));
        }
    }

    private static (string, bool, FileFingerprint) Describe(ref FileSystemEntry entry, string folder, string target)
    {
        var name = entry.FileName.ToString();
        return entry.IsDirectory ? (name, true, default)
            : (entry.Attributes & FileAttributes.ReparsePoint) != 0 ? (name, false, FileFingerprint.Read(System.IO.Path.Combine(folder, name)))
            : (name, false, new FileFingerprint(System.IO.Path.Combine(target, name), entry.Length, entry.LastWriteTimeUtc.UtcTicks));
    }
}
