using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>
/// Endless batches of decoded pictures with the draws of their crops, made ahead by worker threads: what a <see cref="CropLoader"/> of the
/// same options would cut, for a device to cut.
/// </summary>
internal sealed class PictureLoader : IDisposable
{
    /// <summary>64 MiB: a batch of a few dozen photographs of ordinary size.</summary>
    public const int DefaultBlockWords = 16 << 20;

    private readonly OrderedPrefetch<PictureBatch, PictureWriter> prefetch;
    private readonly PictureBatch[] batches;

    /// <summary>Starts the workers.</summary>
    /// <param name="device">The device that copies the blocks.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="options">As for a <see cref="CropLoader"/>.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="blockWords">Words that go to the device at a time; a picture that takes more is cut by the worker.</param>
    /// <exception cref="ArgumentException">An option that cannot be; the message names it.</exception>
    public PictureLoader(Device device, ImageFolder folder, CropLoaderOptions options, SkippedFiles skipped,
        int blockWords = DefaultBlockWords)
    {
        CropLoader.Validate(folder, options);
        blockWords = Math.Max(blockWords, PictureWriter.LeastWords(options.Views));
        batches = new PictureBatch[options.Prefetch.Batches];
        for (int i = 0; i < batches.Length; i++)
            batches[i] = new PictureBatch(this, device, options.BatchSize, options.Views.Count, blockWords);
        prefetch = new(new Work(folder, options, skipped, blockWords), batches, options.Prefetch, "pictures");
    }

    /// <summary>The next batch; waits until it is made.</summary>
    public PictureBatch Next() => prefetch.Next()!; // the sequence is endless

    /// <summary>Stops the workers and waits for them.</summary>
    public void Dispose()
    {
        prefetch.Dispose();
        foreach (var batch in batches)
            batch.Free();
    }

    internal void Release(PictureBatch batch) => prefetch.Release(batch);

    private sealed class Work(ImageFolder folder, CropLoaderOptions options, SkippedFiles skipped, int blockWords)
        : IPrefetchWork<PictureBatch, PictureWriter>
    {
        private readonly PictureSource pictures = new(
            folder, skipped, options.Preprocessing, options.Channels, options.Prefetch.CacheBytes, options.Prefetch.MaxPixels);
        private readonly SampleSequence sequence = new(folder.Count, options, CropLoader.StepsIn(folder.Count, options));

        public PictureWriter CreateWorker() => new(pictures.OpenReader(), options, blockWords);

        public int Begin(PictureBatch batch)
        {
            batch.Clear();
            (batch.Epoch, _) = sequence.Next(batch.Positions, batch.Wanted);
            return batch.Count;
        }

        public void Fill(PictureBatch batch, int sample, PictureWriter worker) => worker.Write(batch, sample);
    }
}
