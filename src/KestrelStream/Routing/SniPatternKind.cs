namespace KestrelStream.Routing;

/// <summary>Forms of a <see cref="SniPattern"/>.</summary>
internal enum SniPatternKind
{
    /// <summary><c>a.example.com</c>: this name.</summary>
    Exact,

    /// <summary><c>*.example.com</c>: every name below, at any depth, not the name itself.</summary>
    Suffix,

    /// <summary><c>.example.com</c>: the name itself and every name below.</summary>
    ExactAndSuffix,

    /// <summary><c>mail.*</c>: every name that goes on after this one.</summary>
    Prefix,

    /// <summary><c>~^app[0-9]+\.</c>: every name in which the expression is found.</summary>
    Regex,
}
