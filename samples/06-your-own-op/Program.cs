// Two ops and an optimizer of one's own: each is a file here, and none names a device. They run as vectors on the host's cores and as
// threads on a GPU.
using Dino.Samples;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

using var device = Device.Open(args is [var name, ..] ? name : "auto");
var model = new Curve(hidden: 64);
using var parameters = model.On(device, seed: 1);
using var optimizer = new Lion(parameters);
using var tape = new Tape(device);

// y = sin 3x on [−1, 1]
const int points = 128;
float[] xs = [.. Enumerable.Range(0, points).Select(i => 2f * i / (points - 1) - 1)];
using var x = Tensor.From(device, xs, new Shape(points, 1));
using var negative = Tensor.From(device, [.. xs.Select(v => -MathF.Sin(3 * v))], new Shape(points, 1));

for (int step = 0; step <= 500; step++)
{
    using var arena = device.BeginArena();
    tape.Record();
    var error = model.Forward(x).Add(negative);
    var loss = error.Multiply(error).Mean();
    tape.Backward(loss);
    optimizer.Step(learningRate: 0.003 * (1 - step / 501.0));
    parameters.ZeroGrad();
    if (step % 100 == 0)
        Console.WriteLine($"step {step,3} on {device.Name}: mean squared error {loss.Item():F5}");
}

/// <summary>Linear, RmsNorm, softplus, linear.</summary>
internal sealed class Curve : Module
{
    private readonly Linear first, last;
    private readonly Parameter scale;

    public Curve(int hidden)
    {
        first = Register("first", new Linear(1, hidden));
        scale = Register("norm.weight", new Shape(hidden), Init.Ones);
        last = Register("last", new Linear(hidden, 1));
    }

    public Tensor Forward(Tensor x) => last.Forward(first.Forward(x).RmsNorm(scale.Value).Softplus());
}
