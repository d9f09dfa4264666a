using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>c ← m·c + (1 − m) · mean over rows of t: a centre that follows what is measured.</summary>
public static class CentreUpdate
{
    /// <summary>
    /// Moves the centre, K elements, in place towards the mean of logits (R, K). A sum over several machines would stand
    /// between the column sum and the blend.
    /// </summary>
    /// <exception cref="ArgumentException">The centre has not K elements, or the logits have no rows.</exception>
    public static void Run(Tensor centre, Tensor logits, float momentum)
    {
        Operands.Check(centre, logits, op: nameof(CentreUpdate));
        int k = logits.Shape.RowLength, rows = logits.Shape.Rows;
        if (centre.Count != k || rows == 0)
            throw new ArgumentException($"Logits {logits.Shape} cannot move a centre of {centre.Shape}.", nameof(logits));
        using var arena = centre.Device.BeginScope();
        var sums = centre.Device.Rent(new Shape(k));
        ColumnSum.Run(logits, sums, accumulate: 0);
        FromSums(centre, sums, rows, momentum);
    }

    /// <summary>The same from the column sums (K) of <paramref name="rows"/> rows of logits, gathered over several batches.</summary>
    public static void FromSums(Tensor centre, Tensor sums, int rows, float momentum)
    {
        Operands.Check(centre, sums, op: nameof(CentreUpdate));
        if (sums.Count != centre.Count || rows <= 0)
            throw new ArgumentException($"Column sums {sums.Shape} of {rows} rows cannot move a centre of {centre.Shape}.", nameof(sums));
        centre.NoteWrite();
        centre.Device.Launch(new BlendLaunch(centre, sums, momentum, (1 - momentum) / rows));
    }

    /// <summary>‖c‖₂ as a scalar on the device; reading it waits for the device, so do that only when it is logged.</summary>
    public static Tensor Norm(Tensor centre)
    {
        Operands.Check(centre, op: nameof(CentreUpdate));
        return TotalNorm.Of(centre);
    }

    private readonly struct BlendLaunch(Tensor centre, Tensor sums, float keep, float share) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(centre.Count, new Blend<T, TMemory>(TMemory.Of(centre), TMemory.Of(sums), keep, share));
    }

    internal readonly struct Blend<T, TMemory>(TMemory centre, TMemory sums, float keep, float share) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory centre = centre, sums = sums;
        private readonly float keep = keep, share = share;

        public void At(int i, int end) =>
            centre.Store(i, end, T.Fma(T.Of(keep), centre.Load(i, end), T.Of(share) * sums.Load(i, end)));
    }
}
