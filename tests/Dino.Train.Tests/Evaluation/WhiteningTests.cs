using Dino.Tensors;
using Dino.Testing;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Retrieval;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

/// <summary>Four points on the axes: mean (0.5, 0), second moments about 0 of 2.5 and 2, variances of 2.25 and 2.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class WhiteningTests(string device)
{
    private static readonly float[] points = [3, 0, -1, 0, 0, 2, 0, -2];

    [Test]
    public void Components_AreTheAxes()
    {
        var components = Components();

        Assert.That((components.Count, components.Mean[0], components.Mean[1]), Is.EqualTo((4L, 0.5, 0d)));
        foreach (var (centred, first) in ((bool, double)[])[(true, 2.25), (false, 2.5)])
        {
            var (directions, variances) = components.Find(2, centred);
            Assert.That(variances, Is.EqualTo(new[] { first, 2 }).Within(1e-6));
            Assert.That(directions.SelectMany(direction => direction), Is.EqualTo(new[] { 1d, 0, 0, 1 }).Within(1e-6));
        }
    }

    [Test]
    public void Rows_LoseTheirMean_AndAreDividedByTheRootOfTheMoment()
    {
        var opened = Devices.Open(device);
        using var whitening = new Whitening(opened, Components());
        using var scope = opened.BeginArena();
        float[] white = whitening.Apply(Tensor.From(opened, points, new Shape(4, 2))).ToArray();

        float[] expected = new float[points.Length];
        for (int i = 0; i < points.Length; i++)
            expected[i] = i % 2 == 0 ? (points[i] - 0.5f) / MathF.Sqrt(2.5f) : points[i] / MathF.Sqrt(2);
        Tolerance.Balanced.Check<float>(white, expected, "whitened");
    }

    [Test]
    public void Nothing_CannotBeWhitened()
    {
        var opened = Devices.Open(device);

        Assert.That(() => new Whitening(opened, new PrincipalComponents(2)), Throws.TypeOf<ArgumentException>());
    }

    private PrincipalComponents Components()
    {
        var opened = Devices.Open(device);
        using var scope = opened.BeginArena();
        var components = new PrincipalComponents(2);
        components.Add(Tensor.From(opened, points.AsSpan(0, 4), new Shape(2, 2))); // in two pieces
        components.Add(Tensor.From(opened, points.AsSpan(4), new Shape(2, 2)));
        return components;
    }
}
