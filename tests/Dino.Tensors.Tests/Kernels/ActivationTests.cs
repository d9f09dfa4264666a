using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Ops;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>An activation of somebody else's within the products of a feed-forward part: one struct, for every device.</summary>
public class ActivationTests : OpTests<ActivationTests>, IOpCases
{
    private static readonly Shape[] shapes =
        [new Shape(2, 3, 5), new Shape(37, 5), new Shape(37), new Shape(5, 37), new Shape(5), new Shape(2, 3, 5), new Shape(2)];

    public static IEnumerable<OpCase> Cases =>
    [
        new("FeedForward with SiLU", x => x[0].FeedForward<Silu>(x[1], x[2], x[3], x[4], x[5], x[6]), shapes) { Constant = [6] },
        new("FeedForward with SiLU, alone", x => x[0].FeedForward<Silu>(x[1], x[2], x[3], x[4], null, null), shapes[..5]),
    ];

    /// <summary>Widths around whole vectors and tiles; also many rows, where the host shares packed operands.</summary>
    [TestCaseSource(nameof(Sizes))]
    public void FusedAndSeparate_AreTheSame(int rows, int inputs, int hidden, string name)
    {
        var device = Devices.Open(name);
        var random = new System.Random(rows + hidden);
        Tensor x = Random(new(rows, inputs)), w1 = Random(new(hidden, inputs)), b1 = Random(new(hidden));
        Tensor w2 = Random(new(inputs, hidden)), b2 = Random(new(inputs));
        Tensor[] trained = [x, w1, b1, w2, b2];

        var fused = Run(() => x.FeedForward<Silu>(w1, b1, w2, b2, null, null));
        var separate = Run(() => Unary<Silu>.Apply(x.Linear(w1, b1)).Linear(w2, b2));

        foreach (var ((a, b), what) in fused.Zip(separate).Zip(["y", "x", "w1", "b1", "w2", "b2"]))
            Tolerance.Balanced.Check<float>(a, b, $"{what} on {name}");
        foreach (var tensor in trained)
            tensor.Dispose();

        Tensor Random(Shape shape)
        {
            var tensor = Tensor.From(device, [.. Enumerable.Range(0, shape.Count).Select(_ => random.NextSingle() - 0.5f)], shape);
            tensor.RequiresGrad = true;
            return tensor;
        }

        float[][] Run(Func<Tensor> function)
        {
            using var tape = new Tape(device);
            using var arena = device.BeginArena();
            tape.Record();
            var y = function();
            float[] output = y.ToArray();
            tape.Backward(y, y);
            float[][] result = [output, .. trained.Select(t => t.Grad!.ToArray())];
            foreach (var tensor in trained)
                tensor.Grad!.Fill(0);
            return result;
        }
    }

    public static IEnumerable<TestCaseData> Sizes =>
        from name in Devices.Names
        from size in ((int, int, int)[])[(3, 4, 7), (5, 20, 16), (7, 9, 33), (70, 12, 68), (300, 40, 129)]
        where name != "cpu:debug" || size.Item1 < 100
        select Devices.Case(name, size.Item1, size.Item2, size.Item3);

    /// <summary>x · σ(x)</summary>
    public readonly struct Silu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => x / (T.Of(1) + Real.Exp(-x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T>
        {
            ForwardBackward(x, dy, out T dx);
            return dx;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T ForwardBackward<T>(T x, T dy, out T dx) where T : struct, IReal<T>
        {
            T sigma = T.Of(1) / (T.Of(1) + Real.Exp(-x));
            dx = dy * sigma * T.Fma(x, T.Of(1) - sigma, T.Of(1));
            return x * sigma;
        }
    }
}
