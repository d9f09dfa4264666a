using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>The exponential moving average that makes the teacher of the student: t ← m t + (1 − m) s (DINO, section 3.1).</summary>
public static class Ema
{
    /// <summary>Moves every parameter of the teacher, frozen or not; buffers stay. One launch.</summary>
    /// <exception cref="ArgumentException">The trees differ in names or shapes, are on different devices, or the momentum is not in 0 … 1.</exception>
    public static void Update(FlatParameters teacher, FlatParameters student, double momentum)
    {
        teacher.ThrowIfLayoutDiffers(student);
        Tensor t = teacher.Values, s = student.Values;
        Operands.Check(t, s, op: "Ema");
        if (!(momentum >= 0 && momentum <= 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "A momentum lies in 0 … 1.");
        teacher.Flat.NoteWrite();
        float keep = (float)momentum, take = (float)(1 - momentum);
        if (t.Device.IsHost)
            ElementLoop<Body<Simd, HostMemory>>.OnHost(t.Device, t.Count, new(keep, take, HostMemory.Of(t), HostMemory.Of(s)));
        else
            ElementLoop<Body<Lane, ViewMemory>>.OnAccelerator(t.Device, t.Count, new(keep, take, ViewMemory.Of(t), ViewMemory.Of(s)));
    }

    internal readonly struct Body<T, TMemory>(float keep, float take, TMemory teacher, TMemory student) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float keep = keep, take = take;
        private readonly TMemory teacher = teacher, student = student;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) =>
            teacher.Store(i, end, T.Fma(T.Of(take), student.Load(i, end), T.Of(keep) * teacher.Load(i, end)));
    }
}
