// A Vision Transformer with random weights: the features of two made-up pictures, and where the class token looks.
using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;

using var device = Device.Open();
var vit = new VisionTransformer(ViTConfig.Named("vit_tiny", patch: 16, imageSize: 64));
using var parameters = new FlatParameters(vit, device, trainable: false);
parameters.Initialize(seed: 0);

const int height = 64, width = 96; // any size of at least a patch: the position embedding is resampled from 4 × 4 to 4 × 6
const int rows = height / 16, columns = width / 16;
float[] pixels = new float[2 * 3 * height * width]; // a disc, and its negative
for (int i = 0; i < pixels.Length; i++)
{
    int x = i % width, y = i / width % height, image = i / (3 * height * width);
    bool inside = (x - 48) * (x - 48) + (y - 32) * (y - 32) < 400;
    pixels[i] = inside == (image == 0) ? 1 : -1;
}

using var arena = device.BeginArena();
var images = Tensor.From(device, pixels, new Shape(2, 3, height, width)); // (B, 3, height, width)
var features = vit.Forward(images); // (B, D)
var attention = vit.LastSelfAttention(images); // (B, H, N, N): queries, keys; token 0 is the class token
Console.WriteLine($"{parameters.Count:N0} parameters on {device}; features {features.Shape}, attention {attention.Shape}");

float[] f = features.ToArray();
int d = vit.Config.Dim;
Console.WriteLine($"cosine of the two features: {Dot(0, d) / MathF.Sqrt(Dot(0, 0) * Dot(d, d)):F3}");

float[] a = attention.ToArray();
Console.WriteLine("picture 0, head 0: the class token's attention to each patch, in percent");
for (int row = 0; row < rows; row++)
    Console.WriteLine(string.Join(" ", Enumerable.Range(0, columns).Select(column => $"{100 * a[1 + row * columns + column],6:F2}")));

float Dot(int first, int second)
{
    float sum = 0;
    for (int i = 0; i < d; i++)
        sum += f[first + i] * f[second + i];
    return sum;
}
