using System.Diagnostics.CodeAnalysis;

namespace KestrelStream.Acme.Protocol;

/// <summary>What was asked for, or why it was not got.</summary>
internal sealed class AcmeResult<T>
    where T : class
{
    private AcmeResult(T? value, AcmeFailure? failure)
    {
        Value = value;
        Failure = failure;
    }

    /// <summary>Null when there is a failure.</summary>
    public T? Value { get; }

    /// <summary>Null when there is a value.</summary>
    public AcmeFailure? Failure { get; }

    public static implicit operator AcmeResult<T>(T value) => new(value, null);

    public static implicit operator AcmeResult<T>(AcmeFailure failure) => new(null, failure);

    /// <summary>False with the failure.</summary>
    public bool IsOk([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out AcmeFailure? failure)
    {
        value = Value;
        failure = Failure;
        return failure is null;
    }
}
