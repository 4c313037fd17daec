namespace KestrelStream.Configuration;

/// <summary>Kinds of keys that certificates are asked for with.</summary>
public enum AcmeKeyType
{
    EcdsaP256,
    EcdsaP384,
    Rsa2048,
    Rsa3072,
    Rsa4096,
}
