using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// The parameters of one module tree as the exponential moving average of another's: t ← m t + (1 − m) s. That is the mean teacher of a
/// student, the target network, the key encoder.
/// </summary>
/// <remarks>
/// Parameters are matched by name: the student may have more, such as a predictor, and in another order. All move, frozen or not; buffers
/// stay. It is one launch, and shortest where the layouts agree: name what only the student has after all the rest.
/// </remarks>
public sealed class ExponentialMovingAverage : IDisposable
{
    private const int Piece = 4096; // a long parameter is shared by many groups or cores

    private readonly FlatParameters teacher, student;
    // (n, 3): first element of the teacher, length, first element of the student; null where all starts agree
    private readonly Tensor? pieces;

    /// <summary>Matches the parameters of two trees, which stay theirs.</summary>
    /// <param name="teacher">What follows.</param>
    /// <param name="student">What is followed.</param>
    /// <exception cref="ArgumentException">
    /// The student lacks a parameter of the teacher, or has it in another shape; or the two are on different devices.
    /// </exception>
    public ExponentialMovingAverage(FlatParameters teacher, FlatParameters student)
    {
        (this.teacher, this.student) = (teacher, student);
        Operands.Check(teacher.Values, student.Values, op: nameof(ExponentialMovingAverage));
        var sources = student.Find(teacher, teacher.Parameters.Count);
        bool agree = true;
        List<int> table = [];
        for (int i = 0; i < sources.Length; i++)
        {
            var (own, source) = (teacher.Segments[i], sources[i]);
            agree &= own.Start == source.Start;
            for (int at = 0; at < own.Shape.Count; at += Piece)
                table.AddRange([own.Start + at, Math.Min(Piece, own.Shape.Count - at), source.Start + at]);
        }
        if (agree)
            return;
        var made = Tensor.FromInts(teacher.Device, [.. table], new Shape(table.Count / 3, 3));
        pieces = made.Owner?.Disown(made) ?? made;
    }

    /// <summary>Moves every parameter of the teacher.</summary>
    /// <param name="momentum">m: how much of itself the teacher keeps.</param>
    /// <exception cref="ArgumentOutOfRangeException">The momentum is not in 0 … 1.</exception>
    /// <exception cref="ObjectDisposedException">The parameters or the device have been disposed.</exception>
    public void Update(double momentum)
    {
        Tensor t = teacher.Values, s = student.Values;
        Operands.Check(t, s, op: nameof(ExponentialMovingAverage));
        if (!(momentum >= 0 && momentum <= 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "A momentum lies in 0 … 1.");
        teacher.Flat.NoteWrite();
        t.Device.Launch(new Launch((float)momentum, (float)(1 - momentum), pieces, t, s));
    }

    /// <summary>Gives back what the match needed; the parameters stay. A second time it does nothing.</summary>
    public void Dispose() => pieces?.Dispose();

    private readonly struct Launch(float keep, float take, Tensor? pieces, Tensor teacher, Tensor student) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            if (pieces is null)
                run.Elements(teacher.Count, new Whole<T, TMemory>(keep, take, TMemory.Of(teacher), TMemory.Of(student)));
            else
                run.Rows(pieces.Shape[0], Piece, new Pieces<T, TMemory>(
                    keep, take, TMemory.Of(pieces), TMemory.Of(teacher), TMemory.Of(student)));
        }
    }

    internal readonly struct Whole<T, TMemory>(float keep, float take, TMemory teacher, TMemory student) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float keep = keep, take = take;
        private readonly TMemory teacher = teacher, student = student;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At(int i, int end) =>
            teacher.Store(i, end, T.Fma(T.Of(take), student.Load(i, end), T.Of(keep) * teacher.Load(i, end)));
    }

    internal readonly struct Pieces<T, TMemory>(float keep, float take, TMemory pieces, TMemory teacher, TMemory student) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float keep = keep, take = take;
        private readonly TMemory pieces = pieces, teacher = teacher, student = student;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory t = teacher, s = student;
            int begin = pieces.Int(3 * row), end = begin + pieces.Int(3 * row + 1), shift = pieces.Int(3 * row + 2) - begin;
            T kept = T.Of(keep), taken = T.Of(take);
            for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
                t.Store(i, end, T.Fma(taken, s.Load(i + shift, end + shift), kept * t.Load(i, end)));
        }
    }
}
