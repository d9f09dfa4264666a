using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels;

/// <summary>The floats of a tensor as kernel bodies see them. Bodies reach memory through this alone.</summary>
/// <typeparam name="TMemory">The memory itself.</typeparam>
/// <typeparam name="T">The numbers that it loads.</typeparam>
public interface IMemory<TMemory, T>
    where TMemory : struct, IMemory<TMemory, T>
    where T : struct, IReal<T>
{
    /// <summary>The memory of a tensor; of none where the tensor is null.</summary>
    static abstract TMemory Of(Tensor? tensor);

    /// <summary>The number at i … i + Width − 1; what lies at or beyond <paramref name="end"/> reads as <paramref name="fill"/>.</summary>
    T Load(int i, int end, float fill = 0);

    /// <summary>Writes the number at i … i + Width − 1, leaving what lies at or beyond <paramref name="end"/>.</summary>
    void Store(int i, int end, T value);

    /// <summary>One float, whatever the width of a number.</summary>
    float this[int i] { get; set; }

    /// <summary>The element as a whole number (tensors of <see cref="DType.Int32"/>).</summary>
    int Int(int i);
}

/// <summary>The memory of an accelerator, a float at a time.</summary>
public readonly struct ViewMemory : IMemory<ViewMemory, Lane>
{
    private readonly ArrayView<float> view;

    internal ViewMemory(ArrayView<float> view) => this.view = view;

    /// <inheritdoc/>
    public static ViewMemory Of(Tensor? tensor) => new(tensor is null ? default : tensor.View);

    /// <inheritdoc/>
    public Lane Load(int i, int end, float fill = 0) => new(view.Read(i));

    /// <inheritdoc/>
    public void Store(int i, int end, Lane value) => view.Write(i, value.Value);

    /// <inheritdoc/>
    public float this[int i] { get => view.Read(i); set => view.Write(i, value); }

    /// <inheritdoc/>
    public int Int(int i) => (int)Interop.FloatAsInt(view.Read(i));

    /// <summary>Writes an element of a tensor of <see cref="DType.Int32"/>.</summary>
    public void SetInt(int i, int value) => view.Write(i, Interop.IntAsFloat((uint)value));
}

/// <summary>The memory of the host, a vector at a time.</summary>
internal readonly unsafe struct HostMemory(float* pointer) : IMemory<HostMemory, Simd>
{
    private readonly float* pointer = pointer;

    public static HostMemory Of(Tensor? tensor) => new(tensor is null ? null : tensor.Pointer);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Simd Load(int i, int end, float fill = 0) => i + Simd.Width <= end
        ? new(Unsafe.ReadUnaligned<Vector<float>>(pointer + i))
        : LoadPartial(pointer + i, end - i, fill);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int i, int end, Simd value)
    {
        if (i + Simd.Width <= end)
            Unsafe.WriteUnaligned(pointer + i, value.Value);
        else
            StorePartial(pointer + i, end - i, value);
    }

    public float this[int i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => pointer[i];
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => pointer[i] = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Int(int i) => ((int*)pointer)[i];

    // Masked instructions where there are any: a call in a loop, even one never taken, would keep the loop's sums in memory instead of
    // registers, at twice the time. The condition stands in each method because the JIT always folds it there, whatever it still inlines.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Simd LoadPartial(float* source, int count, float fill)
    {
        if (!Avx2.IsSupported || Vector<float>.Count != 8)
            return LoadEach(source, count, fill);
        var mask = Avx2.CompareGreaterThan(Vector256.Create(count), Vector256<int>.Indices).AsSingle();
        return new(Avx.BlendVariable(Vector256.Create(fill), Avx.MaskLoad(source, mask), mask).AsVector());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePartial(float* target, int count, Simd value)
    {
        if (!Avx2.IsSupported || Vector<float>.Count != 8)
            StoreEach(target, count, value);
        else
            Avx.MaskStore(
                target, Avx2.CompareGreaterThan(Vector256.Create(count), Vector256<int>.Indices).AsSingle(), value.Value.AsVector256());
    }

    private static Simd LoadEach(float* source, int count, float fill)
    {
        float* values = stackalloc float[Simd.Width];
        for (int j = 0; j < Simd.Width; j++)
            values[j] = j < count ? source[j] : fill;
        return new(Unsafe.ReadUnaligned<Vector<float>>(values));
    }

    private static void StoreEach(float* target, int count, Simd value)
    {
        for (int j = 0; j < count; j++)
            target[j] = value.Value[j];
    }
}

/// <summary>What bodies do with any memory.</summary>
public static class MemoryExtensions
{
    /// <summary>The end to give for a number that is known to lie whole before the real one: the test for it folds away.</summary>
    public const int NoEnd = int.MaxValue;

    /// <summary>Overwrites with the value, or adds it to what is there: the two ways a backward pass delivers a gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Deliver<TMemory, T>(this TMemory memory, int i, int end, T value, int accumulate)
        where TMemory : struct, IMemory<TMemory, T>
        where T : struct, IReal<T>
    {
        if (accumulate != 0)
            value += memory.Load(i, end);
        memory.Store(i, end, value);
    }
}
