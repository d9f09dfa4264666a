using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors.Tests.Ops;

/// <summary>
/// Two ops that pass gradients on whole, without a copy: they put an op under test between tensors that share memory, where writing in
/// place what is somebody else's shows.
/// </summary>
internal static class Probe
{
    /// <summary>x, as an intermediate tensor.</summary>
    public static Tensor Copy(Tensor x)
    {
        var y = x.Device.Rent(x.Shape);
        y.CopyFrom(x);
        Tape.For(x)?.Add<Node>(y).Of(x, null);
        return y;
    }

    /// <summary>a + b. Both get the same tensor as their gradient.</summary>
    public static Tensor Sum(Tensor a, Tensor b)
    {
        var y = a.Device.Rent(a.Shape);
        y.CopyFrom(a);
        AddInPlace.Run(y, b);
        Tape.For(a, b)?.Add<Node>(y).Of(a, b);
        return y;
    }

    private sealed class Node : Tensors.Node
    {
        private Tensor a = null!;
        private Tensor? b;

        public void Of(Tensor first, Tensor? second) => (a, b) = (Track(first), Track(second));

        public override void Backward(Tensor dy)
        {
            Tape.AddGradient(a, dy);
            Tape.AddGradient(b, dy);
        }
    }
}
