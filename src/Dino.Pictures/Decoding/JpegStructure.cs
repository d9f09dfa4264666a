using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>How a walk along the markers of a JPEG file ended.</summary>
internal enum JpegEnd
{
    /// <summary>At the end-of-image marker.</summary>
    Reached,

    /// <summary>At the end of the file, while sequential data might be complete.</summary>
    MissingSequential,

    /// <summary>At the end of the file, with scans of a progressive picture to come.</summary>
    MissingProgressive,

    /// <summary>At a marker that cannot stand there.</summary>
    Damaged,
}

/// <summary>
/// Walks the markers of a JPEG file (ITU T.81, annex B) up to its end-of-image marker. Where data are missing or damaged the codec
/// invents grey rows and calls that success; Pillow reads on to the end of the image and refuses, and so does <see cref="ImageDecoder"/>.
/// </summary>
internal static class JpegStructure
{
    /// <summary>Where the markers lead.</summary>
    /// <param name="file">The file.</param>
    /// <param name="scans">The scans on the way: a decoder goes over all pixels for each.</param>
    public static JpegEnd Walk(ReadOnlySpan<byte> file, out int scans)
    {
        scans = 0;
        bool frame = false, progressive = false, scan = false, restarts = false;
        int at = 2; // behind the start-of-image marker
        while (true)
        {
            // Entropy-coded data and stray bytes: up to FF that is not followed by 00 (a stuffed byte) or FF (fill).
            int skip = at < file.Length ? file[at..].IndexOf((byte)0xFF) : -1;
            if (skip < 0 || at + skip + 1 >= file.Length)
                break;
            at += skip + 1;
            byte marker = file[at];
            if (marker == 0xFF)
                continue;
            at++;
            bool startsFrame = marker is (>= 0xC0 and <= 0xC2) or 0xC9 or 0xCA;
            bool known = startsFrame || marker is 0xC4 or 0xCC or (>= 0xDA and <= 0xDD) or (>= 0xE0 and <= 0xEF) or 0xFE;
            if (marker == 0xD9)
                return JpegEnd.Reached;
            // Nothing follows a stuffed byte, TEM and restarts. DNL is no news; and between restarts decoders pass over reserved markers.
            if (marker is 0x00 or 0x01 or 0xDC or (>= 0xD0 and <= 0xD7) || (marker < 0xC0 && scan && restarts))
                continue;
            if (!known)
                return JpegEnd.Damaged;
            if (at + 2 > file.Length)
                break;
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[at..]);
            if (length < 2 || (startsFrame && frame))
                return JpegEnd.Damaged;
            frame |= startsFrame;
            progressive |= marker is 0xC2 or 0xCA;
            scan |= marker == 0xDA;
            scans += marker == 0xDA ? 1 : 0;
            if (marker == 0xDD && length == 4 && at + 4 <= file.Length)
                restarts = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]) > 0;
            at += length;
        }
        return progressive ? JpegEnd.MissingProgressive : JpegEnd.MissingSequential;
    }
}
