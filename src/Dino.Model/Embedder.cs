using System.Runtime.CompilerServices;
using Dino.Model.Weights;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors;

namespace Dino.Model;

/// <summary>A trained backbone that makes features of pictures: the short way from a checkpoint to numbers.</summary>
/// <remarks>
/// Files are read as evaluation reads them, in the depth and with the range, mean and deviation that the checkpoint keeps; the features are
/// those of <c>dino features</c>, to the last bit. Many threads may call at a time, and embedders may share a device: pictures are read
/// side by side, and the device computes for one caller after the other. Nothing else may use the device meanwhile.
/// </remarks>
public sealed class Embedder : IDisposable
{
    private const int MostAtATime = 64; // pictures of a batch

    private static readonly ConditionalWeakTable<Device, Lock> turns = [];

    private readonly LoadedBackbone loaded;
    private readonly Device device;
    private readonly Lock turn;

    private Embedder(LoadedBackbone loaded, Device device) =>
        (this.loaded, this.device, turn) = (loaded, device, turns.GetOrCreateValue(device));

    /// <summary>The network.</summary>
    public Backbone Backbone => loaded.Backbone;

    /// <summary>S, the side of the square pictures that the network was trained on, in pixels.</summary>
    public int Size => loaded.PictureSize;

    /// <summary>C, the channels of the pictures: 3 for most networks.</summary>
    public int Channels => Backbone.Channels;

    /// <summary>D, the length of a feature.</summary>
    public int Width => Backbone.Width;

    /// <summary>
    /// How the stored values of pictures become inputs: as in training, but that files are read exactly whichever way training read them.
    /// </summary>
    public Preprocessing Preprocessing => loaded.Preprocessing with { Decode = DecodeMode.Exact };

    /// <summary>What was assumed of the file and may be wrong, for a person; null if nothing was.</summary>
    public string? Warning => loaded.Warning;

    /// <summary>Reads a network: of a checkpoint of a training run, an official one, Hugging Face's or timm's.</summary>
    /// <param name="path">The file, or the folder that it is in.</param>
    /// <param name="device">Where to compute. It must outlive the embedder.</param>
    /// <param name="choice">Which network of the file, and what it may lack.</param>
    /// <exception cref="WeightsException">The file is missing, damaged, hostile, or holds no such network.</exception>
    public static Embedder Open(string path, Device device, BackboneChoice? choice = null) =>
        new(LoadedBackbone.Open(path, device, choice), device);

    /// <summary>The feature of a picture.</summary>
    /// <param name="path">Its file.</param>
    /// <returns>(D), not normalised.</returns>
    /// <exception cref="ImageDecodeException">The file is missing, or no picture that can be read.</exception>
    public float[] Embed(string path) => Embed(EvalPicture.Read(path, Size, Channels, Preprocessing));

    /// <summary>The features of pictures, in their order.</summary>
    /// <param name="paths">Their files.</param>
    /// <returns>(B, D), not normalised.</returns>
    /// <exception cref="ImageDecodeException">A file is missing, or no picture that can be read.</exception>
    [OverloadResolutionPriority(-1)] // an empty list of no type is one of numbers
    public float[] Embed(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        float[] features = new float[paths.Count * Width];
        int picture = Channels * Size * Size;
        for (int first = 0; first < paths.Count; first += MostAtATime)
        {
            int count = Math.Min(MostAtATime, paths.Count - first);
            float[] pictures = new float[count * picture];
            for (int i = 0; i < count; i++)
                EvalPicture.Read(paths[first + i], Size, Channels, Preprocessing).CopyTo(pictures, i * picture);
            Embed(pictures).CopyTo(features, first * Width);
        }
        return features;
    }

    /// <summary>The feature of a picture that a stream holds, from where it stands to its end; the stream stays open.</summary>
    /// <param name="stream">The bytes of a file.</param>
    /// <returns>(D), not normalised.</returns>
    /// <exception cref="ImageDecodeException">They are no picture that can be read.</exception>
    public float[] Embed(Stream stream) => Embed(EvalPicture.Read(stream, Size, Channels, Preprocessing));

    /// <summary>The feature of a picture that is in memory.</summary>
    /// <param name="bytes">The bytes of a file.</param>
    /// <returns>(D), not normalised.</returns>
    /// <exception cref="ImageDecodeException">They are no picture that can be read.</exception>
    public float[] Embed(ReadOnlyMemory<byte> bytes) => Embed(EvalPicture.Read(bytes, Size, Channels, Preprocessing));

    /// <summary>The features of one picture, or of several one after the other.</summary>
    /// <param name="pictures">(B, C, S, S), normalised, for any B from 1 on: as <see cref="EvalPicture"/> makes them.</param>
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
        lock (turn)
        {
            using var arena = device.BeginArena();
            return Embed(Tensor.From(device, pictures, new Shape(count, Channels, Size, Size)));
        }
    }

    /// <summary>The features of pictures of any size.</summary>
    /// <param name="pictures">(B, C, height, width), normalised, on the device of the network.</param>
    /// <returns>(B, D), not normalised.</returns>
    public float[] Embed(Tensor pictures)
    {
        lock (turn)
        {
            using var arena = device.BeginArena();
            return Backbone.Forward(pictures).ToArray();
        }
    }

    /// <summary>Gives the network's memory back.</summary>
    public void Dispose() => loaded.Dispose();
}
