// A Vision Transformer with random weights: its feature of a picture, and where the class token looks.
using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;

using var device = Device.Open("cpu");
var vit = new VisionTransformer(new ViTConfig { ImageSize = 64, Patch = 16, Dim = 96, Depth = 4, Heads = 3 });
using var weights = new FlatParameters(vit, device, trainable: false);
weights.Initialize(seed: 0);
Console.WriteLine($"{weights.Count:N0} parameters");

using var arena = device.BeginArena();
float[] pixels = [.. Enumerable.Range(0, 3 * 64 * 96).Select(i => MathF.Sin(i * 0.37f))];
var picture = Tensor.From(device, pixels, new Shape(1, 3, 64, 96)); // any size of at least a patch: here 4 × 6 patches

var feature = vit.Forward(picture); // (1, 96)
var attention = vit.LastSelfAttention(picture); // (1, 3, 25, 25): heads, queries, keys; token 0 is the class token
Console.WriteLine($"feature {feature.Shape}, its first numbers {string.Join("  ", feature.ToArray().Take(4).Select(v => v.ToString("F3")))}");
Console.WriteLine($"attention {attention.Shape}, of the class token to the first patches {string.Join("  ", attention.ToArray().Skip(1).Take(4).Select(v => v.ToString("F4")))}");
