using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;

namespace Dino.Pictures.Loading;

/// <summary>The square that an <see cref="EvalLoader"/> makes of a picture.</summary>
public enum EvalView
{
    /// <summary>
    /// Shorter side to <see cref="EvalLoaderOptions.ResizeSize"/> (bicubic), then the central square: k-NN and validation.
    /// </summary>
    CentralSquare,

    /// <summary>The whole picture, stretched to the square (bicubic): copy detection.</summary>
    WholePicture,

    /// <summary>
    /// A random crop of 8 to 100 % of the area (bilinear), mirrored half of the time: the training pictures of the linear probe
    /// (paper, appendix F.2). A function of seed, epoch and sample.
    /// </summary>
    RandomCrop,
}

/// <summary>What an <see cref="EvalLoader"/> loads.</summary>
public sealed record EvalLoaderOptions
{
    /// <summary>What is made of a picture.</summary>
    public EvalView View { get; init; }

    /// <summary>For <see cref="EvalView.CentralSquare"/>: the shorter side after the resize, in pixels.</summary>
    public int ResizeSize { get; init; } = 256;

    /// <summary>Side of the square, in pixels.</summary>
    public int CropSize { get; init; } = 224;

    /// <summary>C, the channels of a picture: 1 (grey), 3 (RGB), 4 (RGB and opacity), or the number of bands that the files have.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>How stored values become a network's inputs: 8 bits and ImageNet's mean and deviation unless said otherwise.</summary>
    public Preprocessing Preprocessing { get; init; } = new();

    /// <summary>Pictures in a batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The first sample; those before it are left out.</summary>
    public int FirstSample { get; init; }

    /// <summary>Whether the samples come in the random order of the epoch, from position <see cref="FirstSample"/> on.</summary>
    public bool Shuffle { get; init; }

    /// <summary>For random crops and the random order.</summary>
    public ulong Seed { get; init; }

    /// <summary>For random crops and the random order.</summary>
    public int Epoch { get; init; }

    /// <summary>How far and with how many threads to work ahead.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    internal void Validate()
    {
        Prefetch.Validate();
        _ = Preprocessing.NormalizeFor(Channels);
        if (BatchSize < 1)
            throw new ArgumentException($"The batch size is {BatchSize}: it must be 1 or more.");
        if (CropSize < 1 || FirstSample < 0)
            throw new ArgumentException($"Squares of {CropSize} pixels from sample {FirstSample} on cannot be loaded.");
        if (View == EvalView.CentralSquare && CropSize > ResizeSize)
            throw new ArgumentException($"The central square of {CropSize} pixels must be 1 … {ResizeSize}, the size of the shorter side.");
    }
}

/// <summary>Pictures for evaluation. Dispose of it after use: its memory then serves a later batch.</summary>
public sealed class EvalBatch : IDisposable
{
    private readonly EvalLoader loader;
    private readonly float[] pictures;
    private readonly int[] samples, labels, wanted;

    internal EvalBatch(EvalLoader loader, EvalLoaderOptions options)
    {
        this.loader = loader;
        pictures = GC.AllocateUninitializedArray<float>(options.Prefetch.CheckMemory(
            (long)options.BatchSize * options.Channels * options.CropSize * options.CropSize,
            $"{options.BatchSize} pictures of {options.CropSize} × {options.CropSize} pixels"));
        (samples, labels, wanted) = (new int[options.BatchSize], new int[options.BatchSize], new int[options.BatchSize]);
        (Readable, PictureLength) = (new bool[options.BatchSize], options.Channels * options.CropSize * options.CropSize);
    }

    /// <summary>Number of pictures, B: the batch size, fewer after unreadable files and at the end.</summary>
    public int Count { get; private set; }

    /// <summary>The pictures, (B, C, S, S), normalised.</summary>
    public ReadOnlySpan<float> Pictures => pictures.AsSpan(0, Count * PictureLength);

    /// <summary>Their numbers in the folder, ascending unless shuffled; <see cref="ImageFolder.PathOf"/> gives the paths.</summary>
    public ReadOnlySpan<int> Samples => samples.AsSpan(0, Count);

    /// <summary>Their classes, or <see cref="ImageFolder.NoLabel"/>.</summary>
    public ReadOnlySpan<int> Labels => labels.AsSpan(0, Count);

    internal bool[] Readable { get; }

    internal int PictureLength { get; }

    /// <summary>The samples to load, readable or not.</summary>
    internal Span<int> Wanted => wanted.AsSpan(0, WantedCount);

    internal int WantedCount { get; set; }

    internal Span<float> Picture(int index) => pictures.AsSpan(index * PictureLength, PictureLength);

    /// <summary>Closes the gaps of unreadable files.</summary>
    internal void Compact(ImageFolder folder)
    {
        Count = 0;
        for (int i = 0; i < WantedCount; i++)
        {
            if (!Readable[i])
                continue;
            if (Count < i)
                Picture(i).CopyTo(Picture(Count));
            (samples[Count], labels[Count]) = (wanted[i], folder.LabelOf(wanted[i]));
            Count++;
        }
    }

    /// <summary>Gives the memory back to the loader; the values may change from now on.</summary>
    public void Dispose() => loader.Release(this);
}

/// <summary>
/// Every readable picture of a folder once, as evaluation wants it: a square of each (<see cref="EvalView"/>), normalised. Decoded by
/// worker threads; unreadable files are reported and left out.
/// </summary>
public sealed class EvalLoader : IDisposable
{
    // Marks the streams of evaluation crops, so that no other use of the seed draws the same numbers.
    private const uint Domain = 0x4556_0000;

    private readonly ImageFolder folder;
    private readonly OrderedPrefetch<EvalBatch, EvalWorker> prefetch;
    private bool any;

    /// <summary>Starts the workers.</summary>
    /// <exception cref="ArgumentException">An option that cannot be; the message names it.</exception>
    public EvalLoader(ImageFolder folder, EvalLoaderOptions options, SkippedFiles? skipped = null)
    {
        options.Validate();
        this.folder = folder;
        any = options.FirstSample > 0; // what was seen before
        var batches = new EvalBatch[options.Prefetch.Batches];
        for (int i = 0; i < batches.Length; i++)
            batches[i] = new EvalBatch(this, options);
        prefetch = new OrderedPrefetch<EvalBatch, EvalWorker>(
            new Work(folder, options, skipped ?? new SkippedFiles()), batches, options.Prefetch, "pictures");
    }

    /// <summary>The next batch, or null after the last; waits until it is made.</summary>
    /// <exception cref="ImageFolderException">No file of the folder was readable.</exception>
    public EvalBatch? Next()
    {
        while (prefetch.Next() is { } batch)
        {
            batch.Compact(folder);
            if (batch.Count > 0)
            {
                any = true;
                return batch;
            }
            batch.Dispose();
        }
        return any
            ? null
            : throw new ImageFolderException(
                $"{folder.Title} holds no readable picture: all {folder.Count} files were skipped.");
    }

    /// <summary>Stops the workers and waits for them.</summary>
    public void Dispose() => prefetch.Dispose();

    internal void Release(EvalBatch batch) => prefetch.Release(batch);

    private sealed class Work(ImageFolder folder, EvalLoaderOptions options, SkippedFiles skipped) : IPrefetchWork<EvalBatch, EvalWorker>
    {
        private readonly PictureSource pictures = new(
            folder, skipped, options.Preprocessing, options.Channels, cacheBytes: 0, options.Prefetch.MaxPixels);
        private readonly SampleOrder? order = options.Shuffle ? new(folder.Count, options.Seed) : null;
        private int next = options.FirstSample;

        public EvalWorker CreateWorker() => new(pictures.OpenReader());

        public int Begin(EvalBatch batch)
        {
            batch.WantedCount = Math.Max(0, Math.Min(options.BatchSize, folder.Count - next));
            foreach (ref int sample in batch.Wanted)
            {
                int position = next++;
                sample = order is null ? position : order[options.Epoch, position];
            }
            return batch.WantedCount;
        }

        public void Fill(EvalBatch batch, int sample, EvalWorker worker)
        {
            DecodedPicture? picture = worker.Reader.TryRead(batch.Wanted[sample]);
            batch.Readable[sample] = picture is not null;
            if (picture is null)
                return;
            MakeSquare(picture, worker, batch.Wanted[sample]);
            worker.Reader.Normalize.Apply(worker.Square, batch.Picture(sample));
        }

        private void MakeSquare(DecodedPicture picture, EvalWorker worker, int sample)
        {
            int size = options.CropSize;
            switch (options.View)
            {
                case EvalView.CentralSquare:
                    worker.Resample.ResizeAndCentreCrop(picture, worker.Square, options.ResizeSize, size);
                    break;
                case EvalView.WholePicture:
                    worker.Resample.Resize(picture, worker.Square, size, size);
                    break;
                default:
                    var random = new PhiloxStream(options.Seed, (uint)options.Epoch, (uint)sample, Domain);
                    var box = RandomResizedCrop.Draw(picture.Width, picture.Height, new CropScale(0.08, 1), ref random);
                    worker.Resample.Crop(picture, box, worker.Square, size, size, ResampleFilter.Bilinear);
                    if (random.Bernoulli(0.5))
                        PictureResize.Flip(worker.Square);
                    break;
            }
        }
    }

    private sealed class EvalWorker(PictureSource.Reader reader) : IDisposable
    {
        public PictureSource.Reader Reader { get; } = reader;

        public PictureResize Resample { get; } = new();

        public DecodedPicture Square { get; } = new();

        public void Dispose() => Reader.Dispose();
    }
}
