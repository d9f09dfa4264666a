using Dino.Tensors;
using Dino.Tensors.Ops;

// Step through a GPU kernel. Build this as Debug, set a breakpoint in src/Dino.Tensors/Ops/Softmax.cs, method Forward.Row, and start it
// under a debugger. On cpu:debug four simulated GPU threads stop there, two for each of the two rows: each is a thread of the process,
// lanes.Id is its place in the row, and lanes.Max waits for all of its row. On cpu the same body runs with T = Simd: one call a row,
// a vector of floats in every variable.

foreach (string name in (string[])["cpu:debug", "cpu"])
{
    using var device = Device.Open(name);
    using var arena = device.BeginArena();
    var x = Tensor.From(device, [0, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1, 1, 1, 1, 1, 1], new Shape(2, 8));
    var y = x.Softmax();
    Console.WriteLine($"{name,-10}{string.Join(" ", y.ToArray().Select(value => $"{value:F4}"))}");
}
