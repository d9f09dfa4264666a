using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>What a <see cref="CropLoader"/> loads.</summary>
public sealed record CropLoaderOptions
{
    /// <summary>Pictures in a batch of one rank.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The run's seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Epoch of the first batch, from 0.</summary>
    public int StartEpoch { get; init; }

    /// <summary>Step of the first batch in its epoch, from 0; the number of steps of an epoch means the start of the next one.</summary>
    public int StartStep { get; init; }

    /// <summary>Batches that make one optimizer step: an epoch ends with a whole step.</summary>
    public int BatchesPerStep { get; init; } = 1;

    /// <summary>Which of <see cref="Ranks"/> this process is, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>
    /// R, the processes that share each step's pictures: their batches, in rank order, are together the batch of one process that takes R
    /// times
    /// <see cref="BatchSize"/> pictures.
    /// </summary>
    public int Ranks { get; init; } = 1;

    /// <summary>
    /// C, the channels of a crop: 3 (RGB), 1 (the same crops in grey), 4 (RGB and opacity), or the number of bands that the files have.
    /// </summary>
    public int Channels { get; init; } = 3;

    /// <summary>How stored values become the numbers of a crop: 8 bits and ImageNet's mean and deviation unless said otherwise.</summary>
    public Preprocessing Preprocessing { get; init; } = new();

    /// <summary>The crops of a picture.</summary>
    public required IReadOnlyList<View> Views { get; init; }

    /// <summary>How far and with how many threads to work ahead.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();
}

/// <summary>
/// Endless batches of augmented crops, made ahead by worker threads. Which picture and which random numbers a crop is made of follow
/// from (seed, epoch, position in the epoch) alone: not from the number of workers, nor from where the loader was started.
/// </summary>
/// <remarks>Each picture is decoded once for all its crops. One consumer at a time.</remarks>
public sealed class CropLoader : IDisposable
{
    private readonly OrderedPrefetch<CropBatch, CropWorker> prefetch;
    private readonly CropBatch[] batches;

    /// <summary>Starts the workers.</summary>
    /// <exception cref="ArgumentException">An option that cannot be; the message names it. Fewer pictures than one step needs.</exception>
    public CropLoader(ImageFolder folder, CropLoaderOptions options, SkippedFiles? skipped = null)
        : this(folder, options, skipped, null) { }

    /// <summary>The same, with batches in memory from which a device copies.</summary>
    internal CropLoader(ImageFolder folder, CropLoaderOptions options, SkippedFiles? skipped, Device? device)
    {
        Validate(folder, options);
        StepsPerEpoch = StepsIn(folder.Count, options);
        var layout = new ViewLayout(options.Views, options.BatchSize, options.Channels);
        batches = new CropBatch[options.Prefetch.Batches];
        for (int i = 0; i < batches.Length; i++)
            batches[i] = new CropBatch(this, layout, options.Prefetch, device);
        prefetch = new OrderedPrefetch<CropBatch, CropWorker>(
            new Work(folder, options, skipped ?? new SkippedFiles(), StepsPerEpoch), batches, options.Prefetch, "crops");
    }

    /// <summary>Steps of one epoch; pictures that do not fill a step are left out, others in each epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Batches of one epoch over so many pictures.</summary>
    public static int StepsIn(int pictures, CropLoaderOptions options)
    {
        int group = options.BatchesPerStep;
        return (int)(pictures / ((long)options.BatchSize * options.Ranks * group)) * group;
    }

    /// <summary>The next batch; waits until it is made.</summary>
    /// <exception cref="ImageFolderException">No file of the folder is readable.</exception>
    /// <exception cref="InvalidOperationException">All batches are in use: one has to be disposed of first.</exception>
    public CropBatch Next() => prefetch.Next()!; // the sequence is endless

    /// <summary>Stops the workers and waits for them. A batch that is still in use ends with them.</summary>
    public void Dispose()
    {
        prefetch.Dispose();
        foreach (var batch in batches)
            batch.Free();
    }

    internal void Release(CropBatch batch) => prefetch.Release(batch);

    internal static void Validate(ImageFolder folder, CropLoaderOptions options)
    {
        View.Validate(options.Views);
        options.Prefetch.Validate();
        _ = options.Preprocessing.NormalizeFor(options.Channels);
        if (options.BatchSize < 1)
            throw new ArgumentException($"The batch size is {options.BatchSize}: it must be 1 or more.");
        if (options.Ranks < 1 || options.Rank < 0 || options.Rank >= options.Ranks)
            throw new ArgumentException($"Rank {options.Rank} of {options.Ranks}: the rank must be 0 … ranks − 1.");
        if (options.BatchesPerStep < 1)
            throw new ArgumentException($"A step has {options.BatchesPerStep} batches: it must have 1 or more.");
        int steps = StepsIn(folder.Count, options);
        if (steps == 0)
            throw new ArgumentException(
                $"The folder '{folder.Root}' holds {folder.Count} pictures, fewer than the "
                + $"{(long)options.BatchSize * options.Ranks * options.BatchesPerStep} of one step: use a smaller batch size.");
        if (options.StartEpoch < 0 || options.StartStep < 0 || options.StartStep > steps)
            throw new ArgumentException(
                $"The loader cannot start at epoch {options.StartEpoch}, step {options.StartStep}: an epoch has {steps} steps.");
    }

    private sealed class Work(ImageFolder folder, CropLoaderOptions options, SkippedFiles skipped, int stepsPerEpoch)
        : IPrefetchWork<CropBatch, CropWorker>
    {
        private readonly PictureSource pictures = new(
            folder, skipped, options.Preprocessing, options.Channels, options.Prefetch.CacheBytes, options.Prefetch.MaxPixels,
            coloursFirst: true);
        private readonly SampleSequence sequence = new(folder.Count, options, stepsPerEpoch);

        public CropWorker CreateWorker() => new(
            pictures.OpenReader(), new CropMaker(options.Views, options.Preprocessing.NormalizeFor(options.Channels)));

        public int Begin(CropBatch batch)
        {
            (batch.Epoch, batch.Step) = sequence.Next(batch.Positions, batch.Wanted);
            return batch.Count;
        }

        public void Fill(CropBatch batch, int sample, CropWorker worker)
        {
            DecodedPicture picture = worker.Reader.Read(batch.Wanted[sample], out batch.UsedSamples[sample]);
            for (int view = 0; view < options.Views.Count; view++)
            {
                var random = CropMaker.StreamOf(options.Seed, batch.Epoch, batch.Positions[sample], view);
                worker.Crops.Apply(picture, view, random, batch.Crop(view, sample));
            }
        }
    }

    private sealed class CropWorker(PictureSource.Reader reader, CropMaker crops) : IDisposable
    {
        public PictureSource.Reader Reader { get; } = reader;

        public CropMaker Crops { get; } = crops;

        public void Dispose() => Reader.Dispose();
    }
}
