// A tensor, an op and a gradient. With "cpu:debug" as argument the same kernels run on simulated GPU threads: set a breakpoint in
// src/Dino.Tensors/Ops/Softmax.cs and start this under a debugger.
using Dino.Tensors;
using Dino.Tensors.Ops;

using var device = Device.Open(args.Length > 0 ? args[0] : "cpu");
using var arena = device.BeginArena(); // what is made below ends at the end of the program
using var tape = new Tape(device);

var x = Tensor.From(device, [1f, 2f, 3f, 0f, 0f, 5f], new Shape(2, 3));
x.RequiresGrad = true;

tape.Record();
var y = x.Softmax(); // (2, 3), rows sum to 1
var loss = y.Multiply(y).Sum(); // Σ y²
tape.Backward(loss);

Console.WriteLine($"on {device}");
Console.WriteLine($"softmax   {string.Join("  ", y.ToArray().Select(value => value.ToString("F4")))}");
Console.WriteLine($"loss      {loss.Item():F4}");
Console.WriteLine($"gradient  {string.Join("  ", x.Grad!.ToArray().Select(value => value.ToString("F4")))}");
