using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Drawing;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Writing;
using Dino.Tensors.Io;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Log;

namespace Dino.Cli.Commands;

/// <summary>What an attention video is written as, beside its frames.</summary>
internal enum VideoFormat
{
    Gif,
    Mp4,
}

/// <summary>
/// The attention of a video's frames, as PNG files and as one film (video_generation.py). One frame is in memory at a time.
/// </summary>
/// <param name="maps">The network.</param>
/// <param name="size">The most pixels of a frame's longer side.</param>
/// <param name="mass">The share of the attention inside a mask.</param>
/// <param name="skipped">Takes in the frames that cannot be read.</param>
internal sealed class AttentionVideo(AttentionMaps maps, int size, double mass, SkippedLines skipped)
{
    /// <summary>The frames that were left out: the one before each is shown for its time, too.</summary>
    public SkippedLines Skipped => skipped;

    /// <summary>Paints a folder's pictures in order, or the frames of an animated picture.</summary>
    /// <param name="context">Progress, and when to stop.</param>
    /// <param name="path">The folder or file.</param>
    /// <param name="folder">Where frames/00000.png, … and attention.gif or attention.mp4 go.</param>
    /// <param name="format">What to write.</param>
    /// <param name="fps">Frames a second; 0 for the animated picture's own times, or 25.</param>
    /// <param name="most">Most frames.</param>
    /// <returns>The film and the number of frames.</returns>
    /// <exception cref="UserErrorException">There is no video, no frame can be read, or ffmpeg is needed and missing or fails.</exception>
    public (string Film, int Frames) Write(CommandContext context, string path, string folder, VideoFormat format, double fps, int most)
    {
        if (format == VideoFormat.Mp4)
            Ffmpeg(context, "-version");
        string frames = Path.Combine(folder, "frames");
        Directory.CreateDirectory(frames);
        int maxPixels = PictureChoice.MaxPixels(context);
        using var source = FileStatus.Of(path).Kind switch
        {
            FileKind.Folder => new FrameSource(Folders.Scan(context, [path], skipped.Files), maps.OpenReader(maxPixels)),
            FileKind.Regular when DataPaths.IsArchiveOrList(path) =>
                new FrameSource(Folders.Scan(context, [path], skipped.Files), maps.OpenReader(maxPixels)),
            FileKind.Missing => throw new UserErrorException($"There is no video {path}: give a folder of frames, or a GIF."),
            _ => new FrameSource(path, maxPixels, maps.OpenReader(maxPixels)),
        };
        if (source.Doubt is { } doubt)
            context.Error.WriteLine($"note: {path}: the order of its {source.Count} frames is in doubt: {doubt}; they are taken from "
                + $"{source.NameOf(0)} to {source.NameOf(source.Count - 1)}");
        int count = Math.Min(source.Count, most);
        var painter = new FramePainter(source, maps, size, mass, skipped);
        string gif = Path.Combine(folder, "attention.gif");
        context.Progress.Run("attention", count, tracker =>
        {
            if (format == VideoFormat.Gif)
                AtomicFile.Write(gif, stream => Paint(stream, tracker));
            else
                Paint(null, tracker);
        });
        // Frames of an earlier, longer video would pass for the end of this one.
        for (int i = count; File.Exists(Frame(frames, i)); i++)
            File.Delete(Frame(frames, i));
        if (format == VideoFormat.Gif)
            return (gif, count);
        string film = Path.Combine(folder, "attention.mp4"), unfinished = Path.Combine(folder, ".attention.tmp.mp4");
        string rate = (fps > 0 ? fps : source.MeanRate).ToString("G6", CultureInfo.InvariantCulture);
        // H.264 in the form that players want has even sides.
        Ffmpeg(context, "-y", "-loglevel", "error", "-framerate", rate, "-i", Path.Combine(frames, "%05d.png"), "-frames:v",
            count.ToString(CultureInfo.InvariantCulture), "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", unfinished);
        DurableFile.Rename(unfinished, film);
        return (film, count);

        void Paint(Stream? stream, ProgressTracker tracker)
        {
            GifWriter? writer = null;
            byte[]? shown = null;
            for (int i = 0, next = 0; i < count; i++)
            {
                context.Cancel.ThrowIfCancellationRequested();
                if (painter.Paint(i) is { } painted)
                    shown = painted;
                // Before the first that can be read there is none to show; it then stands for those before it.
                for (; shown is not null && next <= i; next++)
                {
                    Png.WriteRgb(Path.Combine(frames, $"{next:D5}.png"), shown, painter.Width, painter.Height);
                    if (stream is not null)
                        (writer ??= new GifWriter(stream, painter.Width, painter.Height))
                            .Add(shown, fps > 0 ? (int)Math.Round(1000 / fps) : source.Duration(next));
                }
                tracker.Report(i + 1);
            }
            if (shown is null)
                throw skipped.Failure(count == 1 ? "The frame cannot be read" : $"None of the {count} frames can be read");
            writer?.Finish();
        }
    }

    private static string Frame(string folder, int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{number:D5}.png"));

    private static void Ffmpeg(CommandContext context, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo("ffmpeg", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            using var stop = context.Cancel.Register(process.Kill);
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            context.Cancel.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
                throw new UserErrorException($"ffmpeg failed: {errors.Trim()}");
            output.Wait();
        }
        catch (Win32Exception e)
        {
            throw new UserErrorException("MP4 needs the program ffmpeg, which was not found. Install it, or leave out --video-format mp4.",
                e);
        }
    }

    /// <summary>Paints frames that can be read and have the shape of the first of them.</summary>
    private sealed class FramePainter(FrameSource source, AttentionMaps maps, int size, double mass, SkippedLines skipped)
    {
        private readonly DecodedPicture picture = new();
        private PictureGrid? grid;

        /// <summary>Of what is painted: the picture and its map side by side.</summary>
        public int Width { get; private set; }

        public int Height { get; private set; }

        /// <summary>The painted frame, or null if it is left out.</summary>
        public byte[]? Paint(int frame)
        {
            string name = source.NameOf(frame);
            try
            {
                source.Read(frame, picture);
            }
            catch (ImageDecodeException e)
            {
                skipped.Files.Report(name, e.Reason);
                return null;
            }
            var own = PictureGrid.Within(picture.Width, picture.Height, size, maps.Patch);
            if (own != (grid ??= own))
            {
                skipped.Files.Report(name, $"it has another shape ({picture.Width} × {picture.Height} pixels) than the first frame");
                return null;
            }
            skipped.Release();
            var attention = maps.Of(name, picture, own);
            (Width, Height) = (2 * attention.Width, attention.Height);
            return AttentionFrame.Paint(attention, mass);
        }
    }

    /// <summary>Frames from a folder or a file.</summary>
    private sealed class FrameSource : IDisposable
    {
        private const int DefaultDuration = 40;

        private readonly ImageFolder? folder;
        private readonly int[]? frames; // samples of the folder
        private readonly PictureReader reader;
        private readonly RgbImage frameOfAnimation = new();
        private readonly AnimatedPicture? animation;
        private readonly string path;

        public FrameSource(ImageFolder folder, PictureReader reader)
        {
            (this.reader, path, Count) = (reader, folder.Root, folder.Count);
            // Time goes as people count, 2 before 10; the folder itself is in ordinal order.
            int[] order = [.. Enumerable.Range(0, Count).OrderBy(folder.RelativePathOf, NaturalOrder.Instance)];
            (this.folder, frames) = (folder, order);
            Doubt = NaturalOrder.Doubt([.. order.Select(sample => Path.ChangeExtension(folder.RelativePathOf(sample), null))]);
        }

        public FrameSource(string path, int maxPixels, PictureReader reader)
        {
            (this.path, this.reader) = (path, reader);
            try
            {
                animation = new AnimatedPicture(path, maxPixels) { Channels = reader.ByteChannels };
            }
            catch (ImageDecodeException e)
            {
                throw new UserErrorException(e.Message, e);
            }
            Count = animation.FrameCount;
        }

        public int Count { get; }

        /// <summary>Why the order of the frames may not be what it looks like, or null.</summary>
        public string? Doubt { get; }

        /// <summary>Frames a second.</summary>
        public double MeanRate => 1000.0 * Count / Enumerable.Range(0, Count).Sum(Duration);

        public string NameOf(int frame) => folder?.PathOf(frames![frame]) ?? $"{path}, frame {frame}";

        /// <summary>Milliseconds.</summary>
        public int Duration(int frame) => animation?.Duration(frame) is > 0 and var own ? own : DefaultDuration;

        /// <exception cref="ImageDecodeException">The frame is damaged.</exception>
        public void Read(int frame, DecodedPicture picture)
        {
            if (animation is null)
            {
                using var input = folder!.Open(frames![frame]);
                reader.Read(input, picture);
                return;
            }
            animation.Decode(frame, frameOfAnimation);
            reader.Take(frameOfAnimation, path, picture);
        }

        public void Dispose()
        {
            reader.Dispose();
            animation?.Dispose();
        }
    }
}
