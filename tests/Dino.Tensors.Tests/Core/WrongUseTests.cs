using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>What would read or write outside a tensor, or take whole numbers for floats, is an exception that names both sides.</summary>
[TestFixture("cpu")]
[TestFixture("cpu:debug")]
public class WrongUseTests(string name)
{
    private Device device = null!;
    private Arena arena = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Open(name, new DeviceOptions { Threads = 1 });
        arena = device.BeginArena();
    }

    [TearDown]
    public void Close()
    {
        arena.Dispose();
        device.Dispose();
    }

    [TestCase(1000, 1)]
    [TestCase(1, 1000)]
    [TestCase(0, 1)]
    public void Accumulate_OfAnotherNumberOfElements_IsRefused(int to, int from) =>
        Assert.That(() => Tensor.Zeros(device, new Shape(to)).Accumulate(Tensor.Zeros(device, new Shape(from))),
            Throws.ArgumentException.With.Message.Contains($"({to})").And.Message.Contains($"({from})"));

    [Test]
    public void Accumulate_OfAsManyElements_Adds()
    {
        var x = Tensor.From(device, [1f, 2, 3, 4], new Shape(4));
        x.Accumulate(Tensor.From(device, [10f, 20, 30, 40], new Shape(2, 2)));
        x.Accumulate(x);
        Assert.That(x.ToArray(), Is.EqualTo(new float[] { 22, 44, 66, 88 }));
    }

    [Test]
    public void PartsThatOverlap_AreRefused()
    {
        var x = Tensor.Zeros(device, new Shape(10));
        Tensor left = x.Alias(new Shape(6)), right = x.Alias(new Shape(6), 4), apart = x.Alias(new Shape(4), 6);
        Assert.That(() => left.Accumulate(right), Throws.ArgumentException.With.Message.Contains("overlap"));
        Assert.That(() => right.CopyFrom(left), Throws.ArgumentException.With.Message.Contains("overlap"));
        Assert.That(() => x.Alias(new Shape(4)).Accumulate(apart), Throws.Nothing);
    }

    [TestCase(int.MaxValue, 1)]
    [TestCase(1, int.MaxValue)]
    [TestCase(int.MaxValue, int.MaxValue)]
    [TestCase(-1, 1)]
    [TestCase(6, 0)]
    [TestCase(5, 1)]
    [TestCase(int.MinValue, 1)]
    public void Alias_BeyondTheEnd_IsRefused(int start, int length) =>
        Assert.That(() => Tensor.Zeros(device, new Shape(5)).Alias(new Shape(length), start),
            Throws.ArgumentException.With.Message.Contains("(5)"));

    [Test]
    public void Alias_OfTheVeryEnd_IsEmpty() => Assert.That(Tensor.Zeros(device, new Shape(5)).Alias(new Shape(0), 5).ToArray(), Is.Empty);

    [Test]
    public void WholeNumbers_AreNeverReadAsFloats()
    {
        Tensor whole = Tensor.FromInts(device, [3, 4], new Shape(2)), real = Tensor.From(device, [1f, 1], new Shape(2));
        Assert.That(() => real.CopyFrom(whole), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => whole.CopyFrom(real), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => whole.CopyTo(new float[2]), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => real.CopyTo(new int[2]), Throws.ArgumentException.With.Message.Contains("Float32"));
        Assert.That(() => whole.Accumulate(whole), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => whole.ToArray(), Throws.ArgumentException);
        Assert.That(() => real.ToIntArray(), Throws.ArgumentException);
        Assert.That(() => whole.RequiresGrad = true, Throws.InvalidOperationException);
        whole.CopyFrom(Tensor.FromInts(device, [5, 6], new Shape(2)));
        int[] read = new int[2];
        whole.CopyTo(read);
        Assert.That(read, Is.EqualTo(new[] { 5, 6 }));
    }

    [TestCase(3f, 3)]
    [TestCase(-1f, -1)]
    [TestCase(0f, 0)]
    [TestCase(-2147483648f, int.MinValue)]
    public void FillAndItem_OfWholeNumbers_AreWholeNumbers(float value, int expected)
    {
        var whole = Tensor.FromInts(device, [7, 7], new Shape(2));
        whole.Fill(value);
        Assert.That(whole.ToIntArray(), Is.All.EqualTo(expected));
        Assert.That(whole.Alias(new Shape(1), 1).Item(), Is.EqualTo(value));
    }

    [Test]
    public void FillAndItem_OfWhatIsNoWholeNumber_OrNoFloat_AreRefused()
    {
        var whole = Tensor.FromInts(device, [16_777_217], new Shape(1));
        foreach (float value in new[] { 0.5f, float.NaN, float.PositiveInfinity, 2147483648f })
            Assert.That(() => whole.Fill(value), Throws.ArgumentException);
        Assert.That(() => whole.Item(), Throws.InvalidOperationException.With.Message.Contains("16777217"));
        Assert.That(Tensor.From(device, [1f, 9], new Shape(2)).TopK(1).Indices.Item(), Is.EqualTo(1));
    }

    [Test]
    public void ScalarShapes_AreEqual_HoweverTheyCameAbout()
    {
        var x = Tensor.From(device, [1f, 2], new Shape(2));
        x.RequiresGrad = true;
        var sum = x.Sum(0);
        Assert.That(sum.Shape, Is.EqualTo(new Shape()));
        Assert.That(sum.Shape.GetHashCode(), Is.EqualTo(new Shape().GetHashCode()));
        Assert.That(x.Mean(-1).Shape == x.Sum().Shape);
        var scalar = Tensor.Zeros(device, new Shape());
        scalar.CopyFrom(sum);
        Assert.That(scalar.Item(), Is.EqualTo(3));
        using var tape = new Tape(device);
        tape.Record();
        tape.Backward(x.Sum(0), Tensor.From(device, [2f], new Shape()));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 2 }));
    }

    [Test]
    public void NumbersThatAreNotAsMany_LeaveNothingBehind()
    {
        long before = device.Pool.UsedBytes;
        Assert.That(() => Tensor.From(device, [1f, 2], new Shape(3)), Throws.ArgumentException);
        Assert.That(() => Tensor.FromInts(device, [1, 2], new Shape(1)), Throws.ArgumentException);
        Assert.That(device.Pool.UsedBytes, Is.EqualTo(before));
    }

    [Test]
    public void OptimizerStep_WithoutFiniteNumbers_ChangesNothing()
    {
        using var parameters = new FlatParameters(new Linear(2, 2), device, trainable: true);
        parameters.Initialize(1);
        using var optimizer = new Sgd(parameters);
        using var average = new ExponentialMovingAverage(parameters, parameters);
        float[] before = parameters.Values.ToArray();
        foreach (double bad in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            Assert.That(() => optimizer.Step(bad, 0, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => optimizer.Step(1, bad, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => optimizer.Step(1, 0, bad), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => average.Update(bad), Throws.InstanceOf<ArgumentOutOfRangeException>());
        }
        Assert.That(() => optimizer.Step(1, 0, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(parameters.Values.ToArray(), Is.EqualTo(before));
    }

    [Test]
    public void MoreElementsThanAnOpCanCount_AreRefused() =>
        Assert.That(() => Tensor.Zeros(device, new Shape(int.MaxValue)),
            Throws.TypeOf<TensorSizeException>().With.Message.Contains("2147483647"));

    [TestCase(0, 65536, 65536)]
    [TestCase(65536, 0, 65536)]
    [TestCase(65536, 65536, 0)]
    public void EmptyShape_WhoseOtherSizesAreBeyondAnIndex_IsRefused(int a, int b, int c) =>
        Assert.That(() => new Shape(a, b, c), Throws.TypeOf<TensorSizeException>().With.Message.Contains($"({a}, {b}, {c})"));
}

/// <summary>The loops over elements reach the last one also where its index is nearly the largest that there is.</summary>
public class LargestLoopTests
{
    private const int N = 2_147_480_000;

    [Test]
    public void ElementLoop_ReachesEveryElement_UpToTheLargestIndex()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 2 });
        Ends.Reset();
        ElementLoop<Ends>.OnHost(device, N, new Ends());
        Assert.That((Ends.First, Ends.Last, Ends.Outside), Is.EqualTo((true, true, false)));
    }

    [Test]
    public void RowLoop_ReachesEveryRow_UpToTheLargestIndex()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 2 });
        RowEnds.Reset();
        RowLoop<RowEnds>.OnHost(device, N, 1, new RowEnds());
        Assert.That((RowEnds.First, RowEnds.Last, RowEnds.Outside), Is.EqualTo((true, true, false)));
    }

    private struct Ends : IElementBody
    {
        public static bool First, Last, Outside;

        public static void Reset() => (First, Last, Outside) = (false, false, false);

        public readonly void At(int i, int end)
        {
            if (i == 0)
                First = true;
            if (i < 0 || i >= N)
                Outside = true;
            if (i >= N - Simd.Width)
                Last = true;
        }
    }

    private struct RowEnds : IRowBody
    {
        public static bool First, Last, Outside;

        public static void Reset() => (First, Last, Outside) = (false, false, false);

        public readonly void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            if (row == 0)
                First = true;
            if (row is < 0 or >= N)
                Outside = true;
            if (row == N - 1)
                Last = true;
        }
    }
}
