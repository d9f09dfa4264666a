// A tensor, two ops, a gradient; the gradient checked by a difference quotient.
using Dino.Tensors;
using Dino.Tensors.Ops;

using var device = Device.Open(); // a GPU if there is one, otherwise the host's cores
using var tape = new Tape(device);

using var x = Tensor.From(device, [1, -2, 0.5f, 3, 0, -1], new Shape(3, 2));
using var w = Tensor.From(device, [0.5f, -1, 2, 0.25f], new Shape(2, 2));
w.RequiresGrad = true;

using (device.BeginArena()) // ends what is made inside
{
    tape.Record();
    var loss = Loss();
    tape.Backward(loss);
    Console.WriteLine($"{x.Shape} · {w.Shape} on {device}: loss {loss.Item():F4}");
}

float[] values = w.ToArray(), gradient = w.Grad!.ToArray();
const float h = 1e-2f;
for (int i = 0; i < values.Length; i++)
{
    float slope = (LossAt(i, values[i] + h) - LossAt(i, values[i] - h)) / (2 * h);
    Console.WriteLine($"dloss/dw[{i}]  tape {gradient[i],8:F4}  difference quotient {slope,8:F4}");
}

Tensor Loss() => x.MatMul(w).Gelu().Mean();

float LossAt(int i, float value)
{
    float[] moved = [.. values];
    moved[i] = value;
    w.CopyFrom(moved);
    using var arena = device.BeginArena();
    return Loss().Item();
}
