using Dino.Pictures.Cutting;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;

namespace Dino.Pictures.Loading;

/// <summary>
/// One worker of a <see cref="PictureLoader"/>: decodes a picture, draws its crops, and writes both where a device can use them.
/// </summary>
internal sealed class PictureWriter(PictureSource.Reader reader, CropLoaderOptions options, int blockWords) : IDisposable
{
    private readonly CropMaker crops = new(options.Views);
    private readonly ViewLayout layout = new(options.Views, options.BatchSize, options.Channels);
    private readonly CropTaskWriter tasks = new();
    private readonly CropPlan[] plans = new CropPlan[options.Views.Count];

    /// <summary>The words that the finished crops of a picture take: the least that a block must hold.</summary>
    public static int LeastWords(IReadOnlyList<View> views)
    {
        int words = 0;
        foreach (var view in views)
        {
            int size = view.Size;
            words = checked(words + CropTaskWriter.PictureWords(size, size)
                + CropTaskWriter.TaskWords(new CropBox(0, 0, size, size), size));
        }
        return words;
    }

    /// <summary>Writes a sample of a batch.</summary>
    public void Write(PictureBatch batch, int sample)
    {
        RgbImage picture = reader.Read(batch.Wanted[sample], out batch.Samples[sample]).Rgb;
        long words = CropTaskWriter.PictureWords(picture.Width, picture.Height);
        bool fits = true;
        for (int view = 0; view < plans.Length; view++)
        {
            var random = StreamOf(batch, sample, view);
            plans[view] = crops.Plan(picture.Width, picture.Height, view, ref random);
            words += CropTaskWriter.TaskWords(plans[view].Box, layout.SizeOf(view));
            fits &= CropTaskWriter.CanBlur(plans[view].Sigma);
        }
        if (!fits || words > blockWords)
        {
            WriteFinished(batch, sample, picture);
            return;
        }
        var (block, address) = batch.Reserve((int)words, plans.Length);
        int source = address;
        address = CropTaskWriter.WritePicture(picture, block.Words, address);
        for (int view = 0; view < plans.Length; view++)
            address = Put(sample, view, plans[view], picture.Width, block, source, address);
    }

    public void Dispose() => reader.Dispose();

    private PhiloxStream StreamOf(PictureBatch batch, int sample, int view) =>
        CropMaker.StreamOf(options.Seed, batch.Epoch, batch.Positions[sample], view);

    /// <summary>
    /// A picture too large for a block, or with a blur too wide for the device: its crops are made here, and each goes there as a picture
    /// of its own.
    /// </summary>
    private void WriteFinished(PictureBatch batch, int sample, RgbImage picture)
    {
        for (int view = 0; view < plans.Length; view++)
        {
            var random = StreamOf(batch, sample, view);
            RgbImage finished = crops.Draw(picture, view, ref random);
            var whole = new CropPlan(new CropBox(0, 0, finished.Width, finished.Height), false, null, false, 0, null);
            int words = CropTaskWriter.PictureWords(finished.Width, finished.Height) + CropTaskWriter.TaskWords(whole.Box, finished.Width);
            var (block, source) = batch.Reserve(words, 1);
            int address = CropTaskWriter.WritePicture(finished, block.Words, source);
            Put(sample, view, whole, finished.Width, block, source, address);
        }
    }

    /// <summary>Writes a crop's task.</summary>
    /// <returns>The address behind it.</returns>
    private int Put(int sample, int view, in CropPlan plan, int width, PictureBlock block, int source, int address)
    {
        int size = layout.SizeOf(view);
        int end = tasks.Write(block.Words, address, source, width, plan, size, out int rows);
        block.Add(new CropEntry(address, rows, size, layout.StartOf(view, sample)));
        return end;
    }
}
