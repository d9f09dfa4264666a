using Dino.Pictures.Writing;
using Dino.Tensors.Random;

namespace Dino.Cli.Demo;

/// <summary>The two halves of a labelled set: what is trained on and remembered, and what is asked.</summary>
public enum PictureSplit
{
    /// <summary>The pictures to train on.</summary>
    Train,

    /// <summary>The pictures to evaluate on.</summary>
    Validation,
}

/// <summary>A square picture with its class and its objects.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Rgb">Size·Size·3 bytes, row by row, red first.</param>
/// <param name="Label">Index into <see cref="ProceduralPictures.ClassNames"/>.</param>
/// <param name="Mask">Size·Size bytes: 0 is background, 1 and 2 are objects.</param>
public sealed record LabelledPicture(int Size, byte[] Rgb, int Label, byte[] Mask);

/// <summary>
/// The pictures of <c>dino demo</c>: objects of ten classes, told apart by shape and texture alone, on cluttered backgrounds.
/// </summary>
/// <remarks>
/// Every picture is a function of seed, size, split and index: nothing else, the number of threads included, changes a byte.
/// Why they look as they do is in docs/design/0004-demo-pictures.md.
/// </remarks>
public sealed class ProceduralPictures
{
    private const int SmallestSize = 16, LargestSize = 1024;
    private readonly ulong seed;

    /// <summary>A set of pictures of <paramref name="size"/> × <paramref name="size"/> pixels (16 to 1024).</summary>
    public ProceduralPictures(ulong seed, int size = 64)
    {
        if (size is < SmallestSize or > LargestSize)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"Pictures have {SmallestSize} to {LargestSize} pixels a side.");
        this.seed = seed;
        Size = size;
    }

    /// <summary>Names of the classes, in the order of their labels (alphabetical, as in class folders).</summary>
    public static IReadOnlyList<string> ClassNames { get; } = [.. ObjectClass.All.Select(kind => kind.Name)];

    /// <summary>Width and height in pixels.</summary>
    public int Size { get; }

    /// <summary>The class of a picture: labels take turns, so any number of pictures is balanced to within one a class.</summary>
    public static int LabelOf(int index) => index % ObjectClass.All.Count;

    /// <summary>Makes one picture. Safe to call from many threads.</summary>
    public LabelledPicture Make(PictureSplit split, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var random = new PhiloxStream(seed, (uint)split, (uint)index);
        var picture = new LabelledPicture(Size, new byte[Size * Size * 3], LabelOf(index), new byte[Size * Size]);
        SceneRenderer.Render(Scene.Draw(Size, ref random), ObjectClass.All[picture.Label], Size, picture.Rgb, picture.Mask);
        return picture;
    }

    /// <summary>Makes the first <paramref name="count"/> pictures of a split on all processors.</summary>
    public LabelledPicture[] MakeMany(PictureSplit split, int count, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var pictures = new LabelledPicture[count];
        Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, index => pictures[index] = Make(split, index));
        return pictures;
    }

    /// <summary>
    /// Writes train/CLASS/NNNN.png, val/CLASS/NNNN.png and, for val, masks/val/CLASS/NNNN.png (grey, value = object id) under a folder.
    /// </summary>
    /// <param name="folder">Where; made when missing. Files of the same names are replaced.</param>
    /// <param name="train">Number of training pictures.</param>
    /// <param name="validation">Number of validation pictures.</param>
    /// <param name="progress">Told the number of pictures written so far, after each one; may be called from several threads.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    public void WriteFolder(string folder, int train, int validation, Action<int>? progress = null, CancellationToken cancel = default)
    {
        int written = 0;
        foreach (var (split, name, count) in new[] { (PictureSplit.Train, "train", train), (PictureSplit.Validation, "val", validation) })
        {
            string root = Path.Combine(folder, name), masks = Path.Combine(folder, "masks", name);
            foreach (string kind in ClassNames)
            {
                Directory.CreateDirectory(Path.Combine(root, kind));
                if (split == PictureSplit.Validation)
                    Directory.CreateDirectory(Path.Combine(masks, kind));
            }
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, index =>
            {
                var picture = Make(split, index);
                string file = Path.Combine(ClassNames[picture.Label], $"{index / ClassNames.Count:D4}.png");
                Png.WriteRgb(Path.Combine(root, file), picture.Rgb, picture.Size, picture.Size);
                if (split == PictureSplit.Validation)
                    Png.WriteGray(Path.Combine(masks, file), picture.Mask, picture.Size, picture.Size);
                progress?.Invoke(Interlocked.Increment(ref written));
            });
        }
    }
}
