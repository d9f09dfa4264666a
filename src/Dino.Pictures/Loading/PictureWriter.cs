using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Pictures;
using Dino.Tensors.Random;

namespace Dino.Pictures.Loading;

/// <summary>One worker of a <see cref="PictureLoader"/>: decodes a picture, draws its crops, and writes both where a device can use them.</summary>
internal sealed class PictureWriter(PictureSource.Reader reader, MultiCropOptions crops, int blockWords) : IDisposable
{
    private readonly MultiCropAugmentation augmentation = new(crops);
    private readonly CropTaskWriter tasks = new();
    private readonly CropPlan[] plans = new CropPlan[crops.CropsNumber];

    /// <summary>The words that the finished crops of a picture take: the least that a block must hold.</summary>
    public static int LeastWords(MultiCropOptions crops)
    {
        var augmentation = new MultiCropAugmentation(crops);
        int words = 0;
        for (int crop = 0; crop < crops.CropsNumber; crop++)
        {
            int size = augmentation.SizeOf(crop);
            words = checked(words + CropTaskWriter.PictureWords(size, size) + CropTaskWriter.TaskWords(new CropBox(0, 0, size, size), size));
        }
        return words;
    }

    /// <summary>Writes a sample of a batch.</summary>
    public void Write(PictureBatch batch, int sample, ulong seed)
    {
        RgbImage picture = reader.Read(batch.Wanted[sample], out batch.Samples[sample]);
        long words = CropTaskWriter.PictureWords(picture.Width, picture.Height);
        for (int crop = 0; crop < plans.Length; crop++)
        {
            var random = StreamOf(batch, sample, crop, seed);
            plans[crop] = augmentation.Plan(picture.Width, picture.Height, crop, ref random);
            words += CropTaskWriter.TaskWords(plans[crop].Box, augmentation.SizeOf(crop));
        }
        if (words > blockWords)
        {
            WriteFinished(batch, sample, seed, picture);
            return;
        }
        var (block, address) = batch.Reserve((int)words, plans.Length);
        int source = address;
        address = CropTaskWriter.WritePicture(picture, block.Words, address);
        for (int crop = 0; crop < plans.Length; crop++)
            address = Put(batch, sample, crop, plans[crop], picture.Width, block, source, address);
    }

    public void Dispose() => reader.Dispose();

    private static PhiloxStream StreamOf(PictureBatch batch, int sample, int crop, ulong seed) =>
        MultiCropAugmentation.StreamOf(seed, batch.Epoch, batch.Positions[sample], crop);

    /// <summary>A picture too large for a block: its crops are made here, and each goes to the device as a picture of its own.</summary>
    private void WriteFinished(PictureBatch batch, int sample, ulong seed, RgbImage picture)
    {
        for (int crop = 0; crop < plans.Length; crop++)
        {
            var random = StreamOf(batch, sample, crop, seed);
            RgbImage finished = augmentation.Draw(picture, crop, ref random);
            var whole = new CropPlan(new CropBox(0, 0, finished.Width, finished.Height), false, null, false, 0, false);
            int words = CropTaskWriter.PictureWords(finished.Width, finished.Height) + CropTaskWriter.TaskWords(whole.Box, finished.Width);
            var (block, source) = batch.Reserve(words, 1);
            int address = CropTaskWriter.WritePicture(finished, block.Words, source);
            Put(batch, sample, crop, whole, finished.Width, block, source, address);
        }
    }

    /// <summary>Writes a crop's task.</summary>
    /// <returns>The address behind it.</returns>
    private int Put(PictureBatch batch, int sample, int crop, in CropPlan plan, int width, PictureBlock block, int source, int address)
    {
        int size = augmentation.SizeOf(crop);
        int end = tasks.Write(block.Words, address, source, width, plan, size, out int rows);
        bool local = crop >= MultiCropOptions.GlobalCropsNumber;
        int row = (local ? crop - MultiCropOptions.GlobalCropsNumber : crop) * batch.Count + sample;
        block.Add(new CropEntry(address, rows, size, row, local));
        return end;
    }
}
