namespace KestrelStream.Configuration.Validation;

/// <summary>Form of a path to a file. Whether it exists is not asked here.</summary>
internal static class FilePath
{
    public static void Check(ValidationContext context, string path, string file, string valid)
    {
        if (file.Length == 0)
        {
            context.AddError(path, $"is missing or empty; valid: {valid}");
        }
        else if (file.Contains('\0') || file.EndsWith('/'))
        {
            context.AddError(path, $"{ErrorText.Quote(file)} is not the path of a file; valid: {valid}");
        }
    }
}
