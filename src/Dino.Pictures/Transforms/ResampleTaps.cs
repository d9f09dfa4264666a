namespace Dino.Pictures.Transforms;

/// <summary>For every output position: the first input, the number of inputs, and their weights in fixed point.</summary>
internal sealed class ResampleTaps
{
    /// <summary>Bits of a weight behind the point.</summary>
    public const int FractionBits = 22;

    private double[] exact = [];
    private (int Input, int Output, int From, int Positions, ResampleFilter Filter) prepared;

    public int[] First = [], Count = [], Weights = [];
    public int Reach;

    /// <summary>The most inputs that an output has, rounded up.</summary>
    public static int ReachOf(int input, int output, ResampleFilter filter) => (int)Math.Ceiling(Support(input, output, filter)) * 2 + 1;

    /// <summary>For the output positions from … from + positions − 1 of a resize from input to output pixels.</summary>
    public void Prepare(int input, int output, int from, int positions, ResampleFilter filter)
    {
        if (prepared == (input, output, from, positions, filter))
            return;
        double scale = (double)input / output, stretch = Math.Max(scale, 1.0);
        double support = Support(input, output, filter), shrink = 1.0 / stretch;
        Reach = ReachOf(input, output, filter);
        if (First.Length < positions)
            (First, Count) = (new int[positions], new int[positions]);
        if (Weights.Length < positions * Reach)
            Weights = new int[positions * Reach];
        if (exact.Length < Reach)
            exact = new double[Reach];
        for (int i = 0; i < positions; i++)
        {
            double centre = (from + i + 0.5) * scale;
            int first = Math.Max(0, (int)(centre - support + 0.5));
            int count = Math.Min(input, (int)(centre + support + 0.5)) - first;
            double total = 0;
            for (int k = 0; k < count; k++)
            {
                double x = (k + first - centre + 0.5) * shrink;
                exact[k] = filter switch
                {
                    ResampleFilter.Lanczos => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
                    ResampleFilter.Bicubic => Cubic(Math.Abs(x)),
                    _ => Math.Max(0.0, 1.0 - Math.Abs(x)),
                };
                total += exact[k];
            }
            for (int k = 0; k < count; k++)
            {
                double weight = exact[k] / total * (1 << FractionBits);
                Weights[i * Reach + k] = (int)(weight + (weight < 0 ? -0.5 : 0.5));
            }
            (First[i], Count[i]) = (first, count);
        }
        prepared = (input, output, from, positions, filter);
    }

    private static double Support(int input, int output, ResampleFilter filter) =>
        filter switch { ResampleFilter.Lanczos => 3.0, ResampleFilter.Bicubic => 2.0, _ => 1.0 } * Math.Max((double)input / output, 1.0);

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);

    private static double Cubic(double x)
    {
        const double a = -0.5;
        if (x < 1)
            return ((a + 2) * x - (a + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }
}
