using System.Buffers.Binary;
using System.Text;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>
/// The typeface of all reports, made from <see cref="GlyphStrokes"/> when first used.
/// </summary>
/// <remarks>
/// SkiaSharp's build without dependencies finds no fonts at all on Linux, installed or not, and no package that we use brings one: text
/// would be left out without a word. So the program draws its own letters, widens the strokes to outlines and writes them as a TrueType
/// font in memory (ISO/IEC 14496-22: head, hhea, maxp, hmtx, cmap, loca, glyf, name, OS/2, post). The pictures then look the same everywhere.
/// </remarks>
internal static class PenFont
{
    /// <summary>The name by which plots ask for the typeface.</summary>
    public const string Family = "Dino Pen";

    private const int Em = 1000, Ascent = 900, Descent = 250;
    private const double Unit = 50, Bearing = 1.9, PenWidth = 1.5, BoldPenWidth = 2.1;

    private static readonly Lazy<byte[]> RegularFile = new(() => BuildFile(PenWidth));
    private static readonly Lazy<byte[]> BoldFile = new(() => BuildFile(BoldPenWidth));
    private static readonly Lazy<SKTypeface> RegularFace = new(() => Create(bold: false));
    private static readonly Lazy<SKTypeface> BoldFace = new(() => Create(bold: true));

    public static SKTypeface Regular => RegularFace.Value;

    public static SKTypeface Bold => BoldFace.Value;

    /// <summary>A typeface that belongs to the caller.</summary>
    public static SKTypeface Create(bool bold)
    {
        using var data = SKData.CreateCopy((bold ? BoldFile : RegularFile).Value);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException("The drawing library refuses the reports' own typeface.");
    }

    /// <summary>A font file whose strokes are <paramref name="pen"/> units wide.</summary>
    internal static byte[] BuildFile(double pen)
    {
        // Glyph 0 stands for characters that the font lacks.
        char[] characters = ['\uFFFD', .. GlyphStrokes.All.Keys.Where(c => c != '\uFFFD').Order()];
        var outlines = new Table();
        var offsets = new Table();
        var metrics = new Table();
        int mostPoints = 0, mostContours = 0, widest = 0;
        foreach (char character in characters)
        {
            var (width, strokes) = GlyphStrokes.All[character];
            offsets.U32((uint)outlines.Length);
            var contours = Outline(strokes, pen);
            int advance = (int)Math.Round((width + 2 * Bearing) * Unit);
            metrics.U16(advance).U16(contours.Count == 0 ? 0 : contours.Min(c => c.Min(p => p.X)));
            WriteGlyph(outlines, contours);
            mostPoints = Math.Max(mostPoints, contours.Sum(c => c.Count));
            mostContours = Math.Max(mostContours, contours.Count);
            widest = Math.Max(widest, advance);
        }
        offsets.U32((uint)outlines.Length);
        int count = characters.Length;
        int flags = pen == PenWidth ? 0 : 1;

        var tables = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["head"] = new Table().U32(0x00010000).U32(0x00010000).U32(0).U32(0x5F0F3CF5).U16(3).U16(Em).U32(0).U32(0).U32(0).U32(0)
                .U16(-200).U16(-Descent).U16(widest).U16(Ascent).U16(flags).U16(8).U16(2).U16(1).U16(0).ToArray(),
            ["hhea"] = new Table().U32(0x00010000).U16(Ascent).U16(-Descent).U16(0).U16(widest).U16(-200).U16(-200).U16(widest)
                .U16(1).U16(0).U16(0).U32(0).U32(0).U16(0).U16(count).ToArray(),
            ["maxp"] = new Table().U32(0x00010000).U16(count).U16(mostPoints).U16(mostContours).U16(0).U16(0).U16(2)
                .U16(0).U16(0).U16(0).U16(0).U16(0).U16(0).U16(0).U16(0).ToArray(),
            ["hmtx"] = metrics.ToArray(),
            ["cmap"] = CharacterMap(characters),
            ["loca"] = offsets.ToArray(),
            ["glyf"] = outlines.ToArray(),
            ["name"] = Names(flags == 0 ? "Regular" : "Bold"),
            ["OS/2"] = new Table().U16(4).U16(500).U16(flags == 0 ? 400 : 700).U16(5).U16(0)
                .U16(650).U16(600).U16(0).U16(75).U16(650).U16(600).U16(0).U16(350).U16(75).U16(300).U16(0)
                .U32(0).U32(0).U16(0).U32(0).U32(0).U32(0).U32(0).U32(0x44494E4F) // panose (10 bytes), code ranges, vendor
                .U16(flags == 0 ? 0x40 : 0x20).U16(' ').U16('\uFFFD').U16(Ascent).U16(-Descent).U16(0).U16(Ascent).U16(Descent)
                .U32(1).U32(0).U16(500).U16(700).U16(0).U16(' ').U16(0).ToArray(),
            ["post"] = new Table().U32(0x00030000).U32(0).U16(-100).U16(50).U32(0).U32(0).U32(0).U32(0).U32(0).ToArray(),
        };
        return Assemble(tables);
    }

    /// <summary>The outlines of strokes as contours of points on and off the curve, in em units with y up.</summary>
    private static List<List<(int X, int Y, bool On)>> Outline(string strokes, double pen)
    {
        var contours = new List<List<(int X, int Y, bool On)>>();
        if (strokes.Length == 0)
            return contours;
        using var path = SKPath.ParseSvgPathData(strokes);
        using var paint = new SKPaint
        {
            Style = SKPaintStyle.Stroke,
            StrokeWidth = (float)pen,
            StrokeCap = SKStrokeCap.Round,
            StrokeJoin = SKStrokeJoin.Round,
        };
        using var outline = paint.GetFillPath(path, 20f) ?? throw new InvalidOperationException($"No outline for the strokes {strokes}.");
        using var iterator = outline.CreateRawIterator();
        var points = new SKPoint[4];
        List<(int X, int Y, bool On)> contour = [];
        void Add(SKPoint p, bool on) =>
            contour.Add(((int)Math.Round((p.X + Bearing) * Unit), (int)Math.Round(-p.Y * Unit), on));
        for (var verb = iterator.Next(points); verb != SKPathVerb.Done; verb = iterator.Next(points))
        {
            switch (verb)
            {
                case SKPathVerb.Move:
                    contour = [];
                    contours.Add(contour);
                    Add(points[0], true);
                    break;
                case SKPathVerb.Line:
                    Add(points[1], true);
                    break;
                case SKPathVerb.Quad:
                    Add(points[1], false);
                    Add(points[2], true);
                    break;
                case SKPathVerb.Conic:
                    var quads = SKPath.ConvertConicToQuads(points[0], points[1], points[2], iterator.ConicWeight(), 1);
                    for (int i = 1; i < quads.Length; i++)
                        Add(quads[i], i % 2 == 0);
                    break;
                case SKPathVerb.Cubic:
                    throw new InvalidOperationException("A widened stroke has a cubic curve, which TrueType lacks.");
            }
        }
        contours.RemoveAll(c => c.Count < 3);
        return contours;
    }

    private static void WriteGlyph(Table glyphs, List<List<(int X, int Y, bool On)>> contours)
    {
        if (contours.Count == 0)
            return;
        var all = contours.SelectMany(c => c).ToList();
        glyphs.U16(contours.Count).U16(all.Min(p => p.X)).U16(all.Min(p => p.Y)).U16(all.Max(p => p.X)).U16(all.Max(p => p.Y));
        int end = -1;
        foreach (var contour in contours)
            glyphs.U16(end += contour.Count);
        glyphs.U16(0);
        foreach (var point in all)
            glyphs.U8(point.On ? 1 : 0);
        int last = 0;
        foreach (var point in all)
        {
            glyphs.U16(point.X - last);
            last = point.X;
        }
        last = 0;
        foreach (var point in all)
        {
            glyphs.U16(point.Y - last);
            last = point.Y;
        }
        glyphs.Align();
    }

    /// <summary>Format 12: groups of consecutive characters; one group a character is simple and small enough.</summary>
    private static byte[] CharacterMap(char[] characters)
    {
        var map = new Table().U16(0).U16(1).U16(3).U16(10).U32(12).U16(12).U16(0).U32((uint)(16 + 12 * (characters.Length - 1)))
            .U32(0).U32((uint)characters.Length - 1);
        for (int glyph = 1; glyph < characters.Length; glyph++)
            map.U32(characters[glyph]).U32(characters[glyph]).U32((uint)glyph);
        return map.ToArray();
    }

    private static byte[] Names(string style)
    {
        (int Id, string Text)[] names = [(1, Family), (2, style), (3, $"{Family} {style}"), (4, $"{Family} {style}"), (6, $"DinoPen-{style}")];
        var text = new Table();
        var table = new Table().U16(0).U16(names.Length).U16(6 + 12 * names.Length);
        foreach (var (id, value) in names)
        {
            byte[] bytes = Encoding.BigEndianUnicode.GetBytes(value);
            table.U16(3).U16(1).U16(0x409).U16(id).U16(bytes.Length).U16(text.Length);
            text.Bytes(bytes);
        }
        return table.Bytes(text.ToArray()).ToArray();
    }

    private static byte[] Assemble(SortedDictionary<string, byte[]> tables)
    {
        int power = 1, log = 0;
        for (; power * 2 <= tables.Count; power *= 2)
            log++;
        var directory = new Table().U32(0x00010000).U16(tables.Count).U16(power * 16).U16(log).U16(tables.Count * 16 - power * 16);
        var body = new Table();
        int start = 12 + 16 * tables.Count, head = 0;
        foreach (var (tag, bytes) in tables)
        {
            if (tag == "head")
                head = start + body.Length;
            directory.Bytes(Encoding.ASCII.GetBytes(tag)).U32(Sum(bytes)).U32((uint)(start + body.Length)).U32((uint)bytes.Length);
            body.Bytes(bytes).Align();
        }
        byte[] file = directory.Bytes(body.ToArray()).ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(head + 8), unchecked(0xB1B0AFBAu - Sum(file)));
        return file;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
            sum = unchecked(sum + ((uint)bytes[i] << (24 - 8 * (i & 3))));
        return sum;
    }

    /// <summary>Bytes in the order of font files: the high byte first.</summary>
    private sealed class Table
    {
        private readonly List<byte> bytes = [];

        public int Length => bytes.Count;

        public byte[] ToArray() => [.. bytes];

        public Table U8(int value)
        {
            bytes.Add((byte)value);
            return this;
        }

        public Table U16(int value) => U8(value >> 8).U8(value);

        public Table U32(uint value) => U16((int)(value >> 16)).U16((int)value);

        public Table Bytes(byte[] values)
        {
            bytes.AddRange(values);
            return this;
        }

        public void Align()
        {
            while (bytes.Count % 4 != 0)
                bytes.Add(0);
        }
    }
}
