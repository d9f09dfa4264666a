using Dino.Model.Weights;
using Dino.Tensors;

namespace Dino.Model;

/// <summary>A trained backbone that makes features of pictures: the short way from a checkpoint to numbers.</summary>
/// <remarks>
/// Pictures come as evaluation wants them: squares of <see cref="Size"/> pixels, normalised, channel by channel. <c>Dino.Pictures</c> reads
/// a file so with
/// <c>EvalPicture.Read(path, embedder.Size, embedder.Channels)</c>; the features are then those of <c>dino features</c>, to the last bit.
/// </remarks>
public sealed class Embedder : IDisposable
{
    private readonly LoadedBackbone loaded;
    private readonly Device device;

    private Embedder(LoadedBackbone loaded, Device device) => (this.loaded, this.device) = (loaded, device);

    /// <summary>The network.</summary>
    public Backbone Backbone => loaded.Backbone;

    /// <summary>S, the side of the square pictures that the network was trained on, in pixels.</summary>
    public int Size => loaded.PictureSize;

    /// <summary>C, the colour channels of the pictures: 3 for most networks.</summary>
    public int Channels => Backbone.Channels;

    /// <summary>D, the length of a feature.</summary>
    public int Width => Backbone.Width;

    /// <summary>What was assumed of the file and may be wrong, for a person; null if nothing was.</summary>
    public string? Warning => loaded.Warning;

    /// <summary>Reads a network: of a checkpoint of a training run, an official one, Hugging Face's or timm's.</summary>
    /// <param name="path">The file, or the folder that it is in.</param>
    /// <param name="device">Where to compute. It must outlive the embedder.</param>
    /// <param name="choice">Which network of the file, and what it may lack.</param>
    /// <exception cref="WeightsException">The file is missing, damaged, hostile, or holds no such network.</exception>
    public static Embedder Open(string path, Device device, BackboneChoice? choice = null) =>
        new(LoadedBackbone.Open(path, device, choice), device);

    /// <summary>The features of one picture, or of several one after the other.</summary>
    /// <param name="pictures">(B, C, S, S), normalised, for any B from 1 on.</param>
    /// <returns>(B, D), not normalised: of a Vision Transformer the class token after the last block and the final norm.</returns>
    /// <exception cref="ArgumentException">The numbers are not those of whole pictures.</exception>
    public float[] Embed(ReadOnlySpan<float> pictures)
    {
        int picture = Channels * Size * Size, count = pictures.Length / picture;
        if (count == 0 || count * picture != pictures.Length)
        {
            throw new ArgumentException(
                $"{pictures.Length} numbers are not pictures of {Channels} channels and {Size} × {Size} pixels, which have {picture} "
                    + $"each.", nameof(pictures));
        }
        using var arena = device.BeginArena();
        return Embed(Tensor.From(device, pictures, new Shape(count, Channels, Size, Size)));
    }

    /// <summary>The features of pictures of any size.</summary>
    /// <param name="pictures">(B, C, height, width), normalised, on the device of the network.</param>
    /// <returns>(B, D), not normalised.</returns>
    public float[] Embed(Tensor pictures)
    {
        using var arena = device.BeginArena();
        return Backbone.Forward(pictures).ToArray();
    }

    /// <summary>Gives the network's memory back.</summary>
    public void Dispose() => loaded.Dispose();
}
