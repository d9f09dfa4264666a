// From a checkpoint and pictures to features: dotnet run --project samples/05-embed-a-picture -- dino-run/latest.safetensors cat.jpg
// dog.jpg
using System.Globalization;
using Dino.Model;
using Dino.Tensors;

if (args.Length < 2)
{
    Console.Error.WriteLine("Give a checkpoint, of dino train or a published one, and pictures.");
    return 2;
}

using var device = Device.Open("cpu");
using var embedder = Embedder.Open(args[0], device);
float[] first = embedder.Embed(args[1]); // (D); a Stream and bytes will do, too
Console.WriteLine($"{args[1]}: {embedder.Width} numbers");
Console.WriteLine(string.Join(' ', first.Select(value => value.ToString("R", CultureInfo.InvariantCulture))));

// Several pictures go through the network together.
float[] all = embedder.Embed(args[1..]); // (B, D)
for (int i = 1; i < args.Length - 1; i++)
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{args[1]} and {args[i + 1]}: cosine {Cosine(first, all.AsSpan(i * embedder.Width, embedder.Width)):F4}"));
return 0;

static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
{
    double dot = 0, ofA = 0, ofB = 0;
    for (int i = 0; i < a.Length; i++)
        (dot, ofA, ofB) = (dot + (double)a[i] * b[i], ofA + (double)a[i] * a[i], ofB + (double)b[i] * b[i]);
    return dot / Math.Sqrt(ofA * ofB);
}
