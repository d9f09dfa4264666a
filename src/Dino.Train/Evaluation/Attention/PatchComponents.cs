using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Attention;

/// <summary>
/// Pictures of patch features: the three directions in which the patches of all pictures vary most, as red, green and blue. The same colour
/// means the same feature in every picture.
/// </summary>
/// <param name="backbone">A network with patch tokens, and its parameters on <paramref name="device"/>.</param>
/// <param name="device">Where to compute.</param>
/// <param name="size">About the pixels along the shorter side; both sides become whole patches (<see cref="PictureGrid.Of"/>).</param>
/// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
public sealed class PatchComponents(Backbone backbone, Device device, int size, Preprocessing? preprocessing = null)
{
    private const double Range = 2; // deviations on either side that the colours span

    private readonly IAttentive attentive = backbone.Attentive();
    private readonly PrincipalComponents components = new(backbone.Width);
    private readonly Normalize normalize = (preprocessing ?? new()).NormalizeFor(backbone.Channels);
    private readonly PictureResize resample = new();
    private readonly DecodedPicture resized = new();
    private (double[][] Directions, double[] Variances)? found;

    /// <summary>Channels of the pictures that the network takes.</summary>
    public int Channels => backbone.Channels;

    /// <summary>What reads pictures for the network.</summary>
    /// <param name="maxPixels">Pictures with more pixels are refused.</param>
    public PictureReader OpenReader(int maxPixels = ImageDecoder.DefaultMaxPixels) => new(preprocessing, Channels, maxPixels);

    /// <summary>Takes a picture into the choice of directions.</summary>
    public void Add(DecodedPicture picture)
    {
        using var arena = device.BeginArena();
        components.Add(Patches(picture, out _, out _));
        found = null;
    }

    /// <summary>A picture's patches in colours, each as a square of so many pixels.</summary>
    public RgbImage Paint(DecodedPicture picture, int scale)
    {
        var (directions, variances) = found ??= components.Find(3, centred: true);
        double[] mean = components.Mean;
        using var arena = device.BeginArena();
        float[] patches = Patches(picture, out int rows, out int columns).ToArray();
        var painting = new RgbImage(columns * scale, rows * scale);
        int dim = mean.Length;
        for (int patch = 0; patch < rows * columns; patch++)
        {
            for (int c = 0; c < 3; c++)
            {
                double along = 0;
                for (int i = 0; i < dim; i++)
                    along += (patches[patch * dim + i] - mean[i]) * directions[c][i];
                double place = variances[c] > 0 ? 0.5 + along / (2 * Range * Math.Sqrt(variances[c])) : 0.5;
                byte colour = (byte)Math.Round(255 * Math.Clamp(place, 0, 1));
                for (int pixel = 0; pixel < scale * scale; pixel++)
                    painting.Row(patch / columns * scale + pixel / scale)[3 * (patch % columns * scale + pixel % scale) + c] = colour;
            }
        }
        return painting;
    }

    /// <summary>Patch tokens (N, D) of the last block after the norm.</summary>
    private Tensor Patches(DecodedPicture picture, out int rows, out int columns)
    {
        int patch = attentive.Patch;
        (rows, columns) = PictureGrid.Of(picture.Width, picture.Height, size, patch);
        ForwardMemory.Check(backbone, device, 1, rows * patch, columns * patch, "a smaller `Components.Size`");
        resample.Resize(picture, resized, columns * patch, rows * patch);
        float[] pixels = new float[backbone.Channels * resized.Width * resized.Height];
        normalize.Apply(resized, pixels);
        var tokens = attentive.IntermediateLayers(
            Tensor.From(device, pixels, new Shape(1, backbone.Channels, resized.Height, resized.Width)), 1)[0];
        return attentive.Patches(tokens).Reshape(new Shape(rows * columns, backbone.Width));
    }
}
