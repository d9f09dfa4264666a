using System.Runtime.InteropServices;
using Dino.Tensors.Kernels.Gemm;
using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>Four words of a tensor core's operand that move as one 16-byte access: a number in tf32, or two in bf16, each.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct Word4
{
    public uint X, Y, Z, W;
}

/// <summary>
/// NVIDIA's tensor cores (sm_80 and later): a warp's product of 16 rows and 8 columns, accumulated in float. On simulated threads with
/// warps of
/// 32 the same calls are computed from the same fragments, which proves every index around them without the hardware.
/// </summary>
/// <remarks>
/// Fragments (PTX ISA 7.8, 9.7.13.4): with g = lane / 4 and t = lane % 4, a lane holds of A (16 × 8 words) the rows g, g + 8, g, g + 8 at
/// the words
/// t, t, t + 4, t + 4 of k; of B (8 words × 8) the words t and t + 4 of column g; of the sums (16 × 8) row g, columns 2t and 2t + 1, then
/// row g + 8. A
/// word is one number in tf32 and two neighbours along k in bf16, the first in the low half, so that both have the same indices.
/// </remarks>
internal static class TensorCore
{
    /// <summary>Lanes of a warp.</summary>
    public const int Lanes = 32;

    private static readonly Operands[] published = new Operands[Device.MaxGroupSize];

    /// <summary>sum + a · b over 8 steps of k in tf32.</summary>
    [IntrinsicImplementation]
    public static Float4 MultiplyTf32(Float4 sum, Word4 a, uint b0, uint b1) => Emulate<Tf32>(sum, a, b0, b1);

    /// <summary>sum + a · b over 16 steps of k in bf16.</summary>
    [IntrinsicImplementation]
    public static Float4 MultiplyBf16(Float4 sum, Word4 a, uint b0, uint b1) => Emulate<Bf16>(sum, a, b0, b1);

    /// <summary>The bits of the nearest tf32 number (10 bits of fraction), halves away from zero.</summary>
    [IntrinsicImplementation]
    public static uint ToTf32(float x) => Tf32.Round(x);

    /// <summary>Two numbers as bf16 (7 bits of fraction), rounded to nearest even; the first in the low half.</summary>
    [IntrinsicImplementation]
    public static uint ToBf16(float low, float high) => Bf16.Round(low) | (uint)Bf16.Round(high) << 16;

    public static Float4 MultiplyTf32Ptx(Float4 sum, Word4 a, uint b0, uint b1)
    {
        Ref<float> x = sum.X, y = sum.Y, z = sum.Z, w = sum.W;
        Input<uint> a0 = a.X, a1 = a.Y, a2 = a.Z, a3 = a.W, c0 = b0, c1 = b1;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};",
            ref x, ref y, ref z, ref w, ref a0, ref a1, ref a2, ref a3, ref c0, ref c1);
        return new() { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static Float4 MultiplyBf16Ptx(Float4 sum, Word4 a, uint b0, uint b1)
    {
        Ref<float> x = sum.X, y = sum.Y, z = sum.Z, w = sum.W;
        Input<uint> a0 = a.X, a1 = a.Y, a2 = a.Z, a3 = a.W, c0 = b0, c1 = b1;
        CudaAsm.EmitRef(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};",
            ref x, ref y, ref z, ref w, ref a0, ref a1, ref a2, ref a3, ref c0, ref c1);
        return new() { X = x.Value, Y = y.Value, Z = z.Value, W = w.Value };
    }

    public static uint ToTf32Ptx(float x)
    {
        CudaAsm.Emit("cvt.rna.tf32.f32 %0, %1;", out uint bits, x);
        return bits;
    }

    public static uint ToBf16Ptx(float low, float high)
    {
        CudaAsm.Emit("cvt.rn.bf16x2.f32 %0, %1, %2;", out uint bits, high, low);
        return bits;
    }

    // The lanes of a warp meet twice: when all operands are there, and when all have been read.
    private static Float4 Emulate<TNumber>(Float4 sum, Word4 a, uint b0, uint b1) where TNumber : struct, INarrowFloat
    {
        int lane = Group.IdxX % Lanes, first = Group.IdxX - lane, row = first + lane / 4 * 4, column = first + lane % 4 * 8;
        published[Group.IdxX] = new(a, b0, b1);
        Warp.Barrier();
        double x = sum.X, y = sum.Y, z = sum.Z, w = sum.W;
        for (int t = 0; t < 4; t++)
        {
            Word4 rows = published[row + t].A;
            Operands left = published[column + t], right = published[column + 4 + t];
            x += TNumber.Product(rows.X, left.B0) + TNumber.Product(rows.Z, left.B1);
            y += TNumber.Product(rows.X, right.B0) + TNumber.Product(rows.Z, right.B1);
            z += TNumber.Product(rows.Y, left.B0) + TNumber.Product(rows.W, left.B1);
            w += TNumber.Product(rows.Y, right.B0) + TNumber.Product(rows.W, right.B1);
        }
        Warp.Barrier();
        return new() { X = (float)x, Y = (float)y, Z = (float)z, W = (float)w };
    }

    private readonly record struct Operands(Word4 A, uint B0, uint B1);
}

/// <summary>A number format of fewer bits than float, for <see cref="TensorCore"/>'s words on the host.</summary>
internal interface INarrowFloat
{
    /// <summary>The product of two words: of their numbers, summed.</summary>
    static abstract double Product(uint a, uint b);
}

/// <summary>8 bits of exponent and 10 of fraction, in a float's bits.</summary>
internal readonly struct Tf32 : INarrowFloat
{
    public static uint Round(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? bits : (bits + 0x1000) & ~0x1fffu;
    }

    public static double Product(uint a, uint b) => (double)BitConverter.UInt32BitsToSingle(a) * BitConverter.UInt32BitsToSingle(b);
}

/// <summary>The upper half of a float: 8 bits of exponent and 7 of fraction.</summary>
internal readonly struct Bf16 : INarrowFloat
{
    public static ushort Round(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x);
        return float.IsNaN(x) ? (ushort)0x7fff : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }

    public static double Product(uint a, uint b) =>
        Tf32.Product(a << 16, b << 16) + Tf32.Product(a & 0xffff0000, b & 0xffff0000);
}
