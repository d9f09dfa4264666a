using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class AttentionTests : OpTests<AttentionTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        [Heads(1, 1, 1, 1), Heads(2, 5, 2, 3), Heads(1, 17, 3, 8), Heads(2, 9, 1, 6), Heads(1, 37, 2, 5), FirstToken(1, 1, 1, 1),
            FirstToken(2, 7, 3, 4)];

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void AttentionWeights_AreTheSoftmaxOfScaledProducts(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var (images, tokens, heads, dim) = (2, 19, 3, 5);
        var @case = Heads(images, tokens, heads, dim);
        float[] qkv = @case.Values()[0];

        float[] weights = Tensor.From(device, qkv, @case.Shapes[0]).AttentionWeights(heads).ToArray();

        double[] expected = [.. Weights([.. qkv.Select(v => (double)v)], images, tokens, heads, dim)];
        Tolerance.Balanced.Check<float>(weights, [.. expected.Select(v => (float)v)], "weights");
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void FirstTokenAttention_IsTheFirstRowOfTheWeights(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var (images, tokens, heads, dim) = (2, 19, 3, 5);
        var @case = Heads(images, tokens, heads, dim);
        var qkv = Tensor.From(device, @case.Values()[0], @case.Shapes[0]);
        float[] all = qkv.AttentionWeights(heads).ToArray();

        var row = qkv.FirstTokenAttention(heads);

        Assert.That(row.Shape, Is.EqualTo(new Shape(images, heads, tokens)));
        float[] expected = [.. Enumerable.Range(0, images * heads).SelectMany(head => all.Skip(head * tokens * tokens).Take(tokens))];
        Tolerance.Balanced.Check<float>(row.ToArray(), expected, "first rows");
    }

    [Test]
    public void FirstTokenAttention_TakesMemoryInProportionToTheTokens()
    {
        using var device = Device.Open("cpu");
        using var arena = device.BeginArena();
        const int tokens = 20_000;
        var qkv = Tensor.Zeros(device, new Shape(1, tokens, 3 * 8));

        float[] row = qkv.FirstTokenAttention(2).ToArray();

        Assert.That(row, Has.Length.EqualTo(2 * tokens).And.All.EqualTo(1f / tokens).Within(1e-9));
        Assert.That(device.Pool.PeakBytes, Is.LessThan(16L << 20), "all weights would be 3.2 GB");
    }

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Tensor.Zeros(device, new Shape(1, 2, 12)).Attention(5),
            Throws.ArgumentException.With.Message.Contains("(1, 2, 12)"));
    }

    private static OpCase Heads(int images, int tokens, int heads, int dim)
    {
        int width = heads * dim;
        return new($"Attention of {heads} heads", x => x[0].Attention(heads), new Shape(images, tokens, 3 * width))
        {
            Truth = x =>
            {
                double[] weights = [.. Weights(x[0], images, tokens, heads, dim)], y = new double[images * tokens * width];
                for (int at = 0; at < weights.Length; at++)
                {
                    int key = at % tokens, query = at / tokens % tokens, head = at / tokens / tokens % heads,
                        image = at / tokens / tokens / heads;
                    for (int i = 0; i < dim; i++)
                        y[(image * tokens + query) * width + head * dim + i] +=
                            weights[at] * x[0][((image * tokens + key) * 3 + 2) * width + head * dim + i];
                }
                return y;
            },
        };
    }

    private static OpCase FirstToken(int images, int tokens, int heads, int dim) => new(
        $"Attention of the first token, {heads} heads", x => x[0].FirstTokenAttention(heads), new Shape(images, tokens, 3 * heads * dim))
    {
        Truth = x => [.. Weights(x[0], images, tokens, heads, dim).Chunk(tokens).Where((_, row) => row % tokens == 0)
            .SelectMany(row => row)],
    };

    private static IEnumerable<double> Weights(double[] qkv, int images, int tokens, int heads, int dim)
    {
        int width = heads * dim;
        double Dot(int image, int head, int query, int key) => Enumerable.Range(0, dim).Sum(i =>
            qkv[(image * tokens + query) * 3 * width + head * dim + i] * qkv[((image * tokens + key) * 3 + 1) * width + head * dim + i]);
        return from image in Enumerable.Range(0, images)
               from head in Enumerable.Range(0, heads)
               from query in Enumerable.Range(0, tokens)
               let e = Enumerable.Range(0, tokens).Select(key => Math.Exp(Dot(image, head, query, key) / Math.Sqrt(dim))).ToArray()
               from value in e
               select value / e.Sum();
    }
}
