namespace Dino.Tensors;

/// <summary>Whose matrix products a device computes with.</summary>
public enum Blas
{
    /// <summary>This library's.</summary>
    Own,

    /// <summary>The vendor's: cuBLAS on <c>cuda:N</c>, in fp32 and tf32.</summary>
    Vendor,
}
