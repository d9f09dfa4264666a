using System.Buffers.Binary;

namespace Dino.Pictures.Tests;

/// <summary>
/// JPEG files put together from their markers (ITU T.81, annex B): all coefficients are 0, so every block is one bit a scan.
/// </summary>
internal static class JpegParts
{
    /// <summary>A grey picture of mean colour.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="scans">
    /// 1 for a sequential one; more for a progressive one, of the DC coefficients and of bands of the others, at most 64.
    /// </param>
    public static byte[] Grey(int width, int height, int scans)
    {
        using var file = new MemoryStream();
        file.Write([0xFF, 0xD8]);
        file.Write(Segment(0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]));
        file.Write(Frame(scans == 1 ? (byte)0xC0 : (byte)0xC2, width, height, (1, 0x11)));
        foreach (byte table in new byte[] { 0x00, 0x10 })
            file.Write(Segment(0xC4, [table, 1, .. new byte[15], 0])); // one code, of one bit: no difference, or the end of the block
        for (int scan = 0; scan < scans; scan++)
        {
            byte from = (byte)(scan == 0 ? 0 : scan), to = (byte)(scans == 1 ? 63 : scan == 0 ? 0 : scan == scans - 1 ? 63 : scan);
            file.Write(Segment(0xDA, [1, 1, 0x00, from, to, 0]));
            int bits = (width + 7) / 8 * ((height + 7) / 8) * (scans == 1 ? 2 : 1);
            file.Write(new byte[bits / 8]);
            if (bits % 8 > 0)
                file.WriteByte((byte)(0xFF >> (bits % 8)));
        }
        file.Write([0xFF, 0xD9]);
        return file.ToArray();
    }

    /// <summary>The header of a frame: number and sampling of each component.</summary>
    public static byte[] Frame(byte marker, int width, int height, params (byte Id, byte Sampling)[] components)
    {
        byte[] size = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(size, (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(size.AsSpan(2), (ushort)width);
        return Segment(marker, [8, .. size, (byte)components.Length, .. components.SelectMany(c => new byte[] { c.Id, c.Sampling, 0 })]);
    }

    /// <summary>The header of a scan of so many components.</summary>
    public static byte[] Scan(int components) =>
        Segment(0xDA, [(byte)components, .. Enumerable.Range(1, components).SelectMany(c => new byte[] { (byte)c, 0 }), 0, 63, 0]);

    private static byte[] Segment(byte marker, byte[] body) =>
        [0xFF, marker, (byte)((body.Length + 2) >> 8), (byte)(body.Length + 2), .. body];
}
