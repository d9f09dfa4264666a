using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Dino.Tensors.Io;
using Dino.Train.Cli;
using Dino.Train.Data;
using Dino.Train.Eval;
using Dino.Train.Report;

namespace Dino.Train.Commands;

/// <summary>What an attention video is written as, beside its frames.</summary>
internal enum VideoFormat
{
    Gif,
    Mp4,
}

/// <summary>The attention of a video's frames, as PNG files and as one film (video_generation.py). One frame is in memory at a time.</summary>
internal sealed class AttentionVideo(AttentionMaps maps, int size, double mass)
{
    /// <summary>Paints a folder's pictures in order, or the frames of an animated picture.</summary>
    /// <param name="context">Progress, and when to stop.</param>
    /// <param name="path">The folder or file.</param>
    /// <param name="folder">Where frames/00000.png, … and attention.gif or attention.mp4 go.</param>
    /// <param name="format">What to write.</param>
    /// <param name="fps">Frames a second; 0 for the animated picture's own times, or 25.</param>
    /// <param name="most">Most frames.</param>
    /// <returns>The film and the number of frames.</returns>
    /// <exception cref="UserErrorException">There is no video, a frame cannot be read, or ffmpeg is needed and missing or fails.</exception>
    public (string Film, int Frames) Write(CommandContext context, string path, string folder, VideoFormat format, double fps, int most)
    {
        if (format == VideoFormat.Mp4)
            Ffmpeg(context, "-version");
        string frames = Path.Combine(folder, "frames");
        Directory.CreateDirectory(frames);
        int maxPixels = PictureChoice.MaxPixels(context);
        using var source = FileStatus.Of(path).Kind switch
        {
            FileKind.Folder => new FrameSource(Folders.Scan(context, path, Folders.Skipped(context)), maxPixels),
            FileKind.Missing => throw new UserErrorException($"There is no video {path}: give a folder of frames, or a GIF."),
            _ => new FrameSource(path, maxPixels),
        };
        if (source.Doubt is { } doubt)
            context.Error.WriteLine($"note: {path}: the order of its {source.Count} frames is in doubt: {doubt}; they are taken from {source.NameOf(0)} to {source.NameOf(source.Count - 1)}");
        int count = Math.Min(source.Count, most);
        string gif = Path.Combine(folder, "attention.gif");
        context.Progress.Run("attention", count, tracker =>
        {
            if (format == VideoFormat.Gif)
                AtomicFile.Write(gif, stream => Paint(stream, tracker));
            else
                Paint(null, tracker);
        });
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
            var picture = new RgbImage();
            int width = 0, height = 0;
            for (int i = 0; i < count; i++)
            {
                context.Cancel.ThrowIfCancellationRequested();
                source.Read(i, picture);
                var attention = maps.Of(source.NameOf(i), picture, size);
                if (i == 0)
                    (width, height) = (attention.Width, attention.Height);
                else if (attention.Width != width || attention.Height != height)
                    throw new UserErrorException($"{source.NameOf(i)} has another shape than the first frame: the frames of a video must be of one size.");
                byte[] rgb = AttentionFrame.Paint(attention, mass);
                Png.WriteRgb(Path.Combine(frames, $"{i:D5}.png"), rgb, 2 * width, height);
                if (stream is not null)
                    (writer ??= new GifWriter(stream, 2 * width, height)).Add(rgb, fps > 0 ? (int)Math.Round(1000 / fps) : source.Duration(i));
                tracker.Report(i + 1);
            }
            writer?.Finish();
        }
    }

    private static void Ffmpeg(CommandContext context, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("ffmpeg", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEndAsync(context.Cancel);
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new UserErrorException($"ffmpeg failed: {errors.Trim()}");
            output.Wait(context.Cancel);
        }
        catch (Win32Exception e)
        {
            throw new UserErrorException("MP4 needs the program ffmpeg, which was not found. Install it, or leave out --video-format mp4.", e);
        }
    }

    /// <summary>Frames from a folder or a file.</summary>
    private sealed class FrameSource : IDisposable
    {
        private const int DefaultDuration = 40;

        private readonly string[]? frames;
        private readonly ImageDecoder? decoder;
        private readonly AnimatedPicture? animation;
        private readonly string path;

        public FrameSource(ImageFolder folder, int maxPixels)
        {
            (decoder, path, Count) = (new ImageDecoder(maxPixels), folder.Root, folder.Count);
            // Time goes as people count, 2 before 10; the folder itself is in ordinal order.
            int[] order = [.. Enumerable.Range(0, Count).OrderBy(folder.RelativePathOf, NaturalOrder.Instance)];
            frames = [.. order.Select(folder.PathOf)];
            Doubt = NaturalOrder.Doubt([.. order.Select(sample => Path.ChangeExtension(folder.RelativePathOf(sample), null))]);
        }

        public FrameSource(string path, int maxPixels)
        {
            this.path = path;
            try
            {
                animation = new AnimatedPicture(path, maxPixels);
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

        public string NameOf(int frame) => frames?[frame] ?? $"{path}, frame {frame}";

        /// <summary>Milliseconds.</summary>
        public int Duration(int frame) => animation?.Duration(frame) is > 0 and var own ? own : DefaultDuration;

        public void Read(int frame, RgbImage picture)
        {
            try
            {
                if (animation is not null)
                    animation.Decode(frame, picture);
                else
                    decoder!.Decode(frames![frame], picture);
            }
            catch (ImageDecodeException e)
            {
                throw new UserErrorException(e.Message, e);
            }
        }

        public void Dispose()
        {
            decoder?.Dispose();
            animation?.Dispose();
        }
    }
}
