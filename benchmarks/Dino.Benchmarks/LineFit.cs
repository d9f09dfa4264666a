using MathNet.Numerics;

namespace Dino.Benchmarks;

/// <summary>The straight line of least squares through some points, and the share of the variance that it explains.</summary>
internal readonly record struct LineFit(double Intercept, double Slope, double RSquared)
{
    /// <summary>The line of y over x; not a number where all points have the same x.</summary>
    public static LineFit Of<T>(IEnumerable<T> points, Func<T, double> x, Func<T, double> y)
    {
        double[] xs = [.. points.Select(x)], ys = [.. points.Select(y)];
        if (xs.Distinct().Count() < 2)
            return new LineFit(double.NaN, double.NaN, double.NaN);
        var (intercept, slope) = Fit.Line(xs, ys);
        return new LineFit(intercept, slope, GoodnessOfFit.CoefficientOfDetermination(xs.Select(value => intercept + slope * value), ys));
    }
}
