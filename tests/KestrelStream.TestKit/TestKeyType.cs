namespace KestrelStream.TestKit;

/// <summary>What key a test certificate has.</summary>
public enum TestKeyType
{
    EcdsaP256,
    Rsa2048,
}
