using Dino.Tensors.Kernels.Simt;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// The end of a product on an accelerator. The cheap epilogues share one kernel, which is told which of them it is to apply; each
/// activation
/// has kernels of its own.
/// </summary>
internal interface IFinish
{
    /// <summary>C's element, complete with the bias, as the epilogue makes it; and what is kept beside it.</summary>
    static abstract Lane Finish(in TiledGemmArguments s, EpilogueViews follow, int row, int column, int at, Lane c, out Lane kept);
}

/// <summary><see cref="EpilogueKind.None"/>, <see cref="EpilogueKind.Branch"/> and <see cref="EpilogueKind.ColumnScale"/>.</summary>
internal readonly struct PlainFinish : IFinish
{
    public static Lane Finish(in TiledGemmArguments s, EpilogueViews follow, int row, int column, int at, Lane c, out Lane kept)
    {
        kept = Lane.Of(0);
        switch (s.Kind)
        {
            case EpilogueKind.Branch:
                Lane factor = Lane.Of(s.RowsPerSample > 0 ? follow.Factors.Read(row / s.RowsPerSample) : 1);
                return BranchEpilogue.Finish(c, Lane.Of(follow.Other.Read(at)), factor, out kept);
            case EpilogueKind.ColumnScale:
                return ColumnScaleEpilogue.Finish(c, kept, Lane.Of(follow.Factors.Read(column)), out kept);
            default:
                return c;
        }
    }
}

/// <summary><see cref="EpilogueKind.Activation"/> and <see cref="EpilogueKind.ActivationBackward"/>.</summary>
internal readonly struct ActivationFinish<TActivation> : IFinish where TActivation : struct, IActivation
{
    public static Lane Finish(in TiledGemmArguments s, EpilogueViews follow, int row, int column, int at, Lane c, out Lane kept)
    {
        Lane none = kept = Lane.Of(0);
        if (s.Kind == EpilogueKind.None) // a part of the steps: the epilogue follows once the parts are added up
            return c;
        if (s.Kind == EpilogueKind.Activation)
            return ActivationEpilogue<TActivation>.Finish(c, none, none, out kept);
        return ActivationBackwardEpilogue<TActivation>.Finish(c, Lane.Of(follow.Other.Read(at)), none, out kept);
    }
}
