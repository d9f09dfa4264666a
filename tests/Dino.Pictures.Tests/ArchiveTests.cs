using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Archives of pictures, read in place.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ArchiveTests : IDisposable
{
    private static readonly string[] kinds =
        ["photos.tar V7", "photos.tar Ustar", "photos.tar Pax", "photos.tar Gnu", "photos.zip NoCompression", "photos.zip Optimal",
            "photos.zip streamed"];

    private readonly PictureFolder folder = new();
    private readonly SkippedFiles skipped = new();

    public void Dispose() => folder.Dispose();

    [TestCaseSource(nameof(kinds))]
    public void Pictures_AreThoseOfTheFolderThatWasPacked(string kind)
    {
        string[] names = ["a.png", "cat/1.png", "cat/deep/er/2.jpg", "dog/3.webp"];
        (string Name, byte[] Bytes)[] files =
            [.. names.Select((name, i) => (name, File.ReadAllBytes(folder.WritePicture("packed/" + name, i))))];
        string path = Make(kind, [.. files, ("README.md", "read"u8.ToArray()), ("__MACOSX/cat/._1.png", [0]), ("cat/.DS_Store", [0])]);

        var packed = ImageFolder.Scan(path, skipped);
        var loose = ImageFolder.Scan(folder.PathOf("packed/x")[..^2]);
        Assert.That(Names(packed), Is.EqualTo(Names(loose)));
        Assert.That(packed.ClassNames, Is.EqualTo(loose.ClassNames));
        Assert.That(packed.Remarks, Is.Empty);
        Assert.That(skipped.Snapshot().Single(), Is.EqualTo(($"{path}/README.md", $"it is not a {PictureSignature.Formats} picture")));
        var moment = new DateTime(2020, 2, 3, 4, 5, 6, DateTimeKind.Utc).Ticks;
        using var decoder = new ImageDecoder();
        RgbImage one = new(), other = new();
        for (int i = 0; i < packed.Count; i++)
        {
            Assert.That(packed.LabelOf(i), Is.EqualTo(loose.LabelOf(i)));
            Assert.That(packed.StampOf(i), Is.EqualTo(((long)files[i].Bytes.Length, moment)));
            using var input = packed.Open(i);
            Assert.That(input.Name, Is.EqualTo($"{path}/{names[i]}"));
            decoder.Decode(input, one);
            decoder.Decode(loose.PathOf(i), other);
            Assert.That(one.Pixels.SequenceEqual(other.Pixels));
        }
        DataIdentity identity = PictureListing.Of(packed).Identity(), ofLoose = PictureListing.Of(loose).Identity();
        Assert.That((identity.Names, identity.Contents), Is.EqualTo((ofLoose.Names, ofLoose.Contents)));
    }

    [TestCaseSource(nameof(kinds))]
    public void ManyThreads_ReadOneArchive(string kind)
    {
        (string Name, byte[] Bytes)[] files = [.. Enumerable.Range(0, 40).Select(i =>
            ($"{i:D2}.png", PictureFolder.Encode("x.png", PictureFolder.Pattern(i, 40, 30))))];
        var packed = ImageFolder.Scan(Make(kind, files));

        Parallel.For(0, 400, i =>
        {
            using var input = packed.Open(i % 40);
            Assert.That(Bytes(input).SequenceEqual(files[i % 40].Bytes));
        });
    }

    [TestCaseSource(nameof(kinds))]
    public void TheFolderThatAllIsIn_IsNoClass(string kind)
    {
        var packed = ImageFolder.Scan(Make(kind, Pictures("photos/cat/1.png", "photos/dog/2.png")));

        Assert.That(Names(packed), Is.EqualTo(new[] { "photos/cat/1.png", "photos/dog/2.png" }));
        Assert.That(packed.ClassNames, Is.EqualTo(new[] { "cat", "dog" }));
        Assert.That(packed.Remarks.Single(), Is.EqualTo("all pictures lie in photos/: classes are the folders in it"));
    }

    [Test]
    public void OneFolderWithoutFoldersInIt_IsAClass()
    {
        var packed = ImageFolder.Scan(Make(kinds[2], Pictures("cat/1.png", "cat/2.png")));

        Assert.That(packed.ClassNames, Is.EqualTo(new[] { "cat" }));
        Assert.That(packed.Remarks, Is.Empty);
    }

    [TestCaseSource(nameof(kinds))]
    public void NamesThatLeadOut_AreNames(string kind)
    {
        var packed = ImageFolder.Scan(Make(kind, Pictures("../../up/1.png", "/root/2.png", "./here/3.png")));

        Assert.That(Names(packed), Is.EqualTo(new[] { "here/3.png", "root/2.png", "up/1.png" }));
        Assert.That(File.Exists(Path.Combine(folder.Root, "../../up/1.png")), Is.False);
    }

    [TestCaseSource(nameof(kinds))]
    public void OfFilesOfOneName_TheLastCounts_AndItIsSaid(string kind)
    {
        var packed = ImageFolder.Scan(Make(kind, [("1.png", "no picture"u8.ToArray()), .. Pictures("1.png")]));

        Assert.That(packed.Remarks.Single(), Does.StartWith("1 files are in it under a name that a later one has"));
        using var input = packed.Open(0);
        Assert.That(Bytes(input).SequenceEqual(Pictures("1.png")[0].Bytes));
    }

    [TestCaseSource(nameof(kinds))]
    public void Patterns_CountFromTheTop(string kind)
    {
        string path = Make(kind, Pictures("photos/cat/1.png", "photos/dog/2.png"));

        Assert.That(Names(ImageFolder.Scan(path, null, new PicturePatterns(["cat/*"], []))), Is.EqualTo(new[] { "photos/cat/1.png" }));
        Assert.That(() => ImageFolder.Scan(path, null, new PicturePatterns(["cow"], [])),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains("photos.").And.Message.Contains("`Include`"));
    }

    [TestCase(TarEntryFormat.Pax)]
    [TestCase(TarEntryFormat.Gnu)]
    public void LongNames_AreWhole(TarEntryFormat format)
    {
        string name = $"{new string('a', 120)}/{new string('é', 60)}.png";
        Assert.That(Names(ImageFolder.Scan(folder.Write("x.tar", Archives.Tar(format, Pictures(name))))), Is.EqualTo(new[] { name }));
    }

    [Test]
    public void ATar_ThatEndsWithinItsLastFile_HasTheOthers()
    {
        byte[] tar = Archives.Tar(TarEntryFormat.Ustar, Pictures("1.png", "2.png"));
        int end = Array.FindLastIndex(tar, value => value != 0);
        string path = folder.Write("x.tar", tar.AsSpan(0, end - 20));

        var packed = ImageFolder.Scan(path, skipped);
        Assert.That(Names(packed), Is.EqualTo(new[] { "1.png" }));
        Assert.That(skipped.Snapshot().Single().Path, Is.EqualTo($"{path}/2.png"));
        Assert.That(skipped.Snapshot().Single().Reason, Does.StartWith("the archive ends within it"));
        Assert.That(packed.Remarks.Single(), Does.Contain("may be cut short"));
    }

    [Test]
    public void WhatStandsBehindTheEndOfATar_IsSaid()
    {
        byte[] first = Archives.Tar(TarEntryFormat.Ustar, Pictures("1.png")), second = Archives.Tar(TarEntryFormat.Gnu, Pictures("2.png"));
        byte[] record = new byte[10240 - first.Length % 10240];
        var both = ImageFolder.Scan(folder.Write("both.tar", [.. first, .. record, .. second]));

        Assert.That(Names(both), Is.EqualTo(new[] { "1.png" }));
        Assert.That(both.Remarks.Single(), Does.StartWith("another archive follows the mark of its end"));
        Assert.That(ImageFolder.Scan(folder.Write("padded.tar", [.. first, .. record])).Remarks, Is.Empty);
    }

    [Test]
    public void AFileWithHoles_HasItsOwnName()
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(Archives.Entry(TarEntryFormat.Pax, "cat/1.png", Pictures("1.png")[0].Bytes));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "cat/GNUSparseFile.1/2.png",
                new Dictionary<string, string> { ["GNU.sparse.major"] = "1", ["GNU.sparse.name"] = "cat/2.png" })
            {
                DataStream = new MemoryStream(new byte[1024]),
            });
        }
        string path = folder.Write("x.tar", stream.ToArray());

        Assert.That(Names(ImageFolder.Scan(path, skipped)), Is.EqualTo(new[] { "cat/1.png" }));
        Assert.That(skipped.Snapshot().Single().Path, Is.EqualTo($"{path}/cat/2.png"));
    }

    [Test]
    public void APageThatWasLoadedInPlaceOfATar_IsNone() =>
        Assert.That(() => ImageFolder.Scan(folder.Write("x.tar", "<html>not found</html>"u8)),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains("shorter than a header"));

    [Test]
    public void ADamagedTar_IsNamed_WithThePlace()
    {
        byte[] tar = Archives.Tar(TarEntryFormat.Ustar, Pictures("1.png", "2.png"));
        int second = tar.AsSpan().IndexOf("2.png"u8);
        tar[second + 130] ^= 0x55;
        string path = folder.Write("x.tar", tar);

        Assert.That(() => ImageFolder.Scan(path), Throws.TypeOf<ImageFolderException>().With.Message.Contains(path)
            .And.Message.Contains($"at byte {second} there is no header"));
    }

    [Test]
    public void ACutZip_IsNamed()
    {
        byte[] zip = Archives.Zip(CompressionLevel.Optimal, Pictures("1.png", "2.png"));
        string path = folder.Write("x.zip", zip.AsSpan(0, zip.Length - 40));

        Assert.That(() => ImageFolder.Scan(path), Throws.TypeOf<ImageFolderException>().With.Message.Contains(path)
            .And.Message.Contains("cut short"));
    }

    [TestCase("x.zip", "it is cut short")]
    [TestCase("x.tar", "it is empty")]
    public void AnEmptyFile_IsNoArchive(string name, string reason) =>
        Assert.That(() => ImageFolder.Scan(folder.Write(name, [])),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains(name).And.Message.Contains(reason));

    [Test]
    public void LinksInATar_LeadToFilesBeforeThem()
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "cat/"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "cat/1.png")
            {
                DataStream = new MemoryStream(Pictures("1.png")[0].Bytes),
            });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "dog/1.png") { LinkName = "cat/1.png" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "dog/2.png") { LinkName = "nowhere.png" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "dog/3.png") { LinkName = "../cat/1.png" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Fifo, "dog/4.png"));
        }
        var packed = ImageFolder.Scan(folder.Write("x.tar", stream.ToArray()), skipped);

        Assert.That(Names(packed), Is.EqualTo(new[] { "cat/1.png", "dog/1.png" }));
        using var input = packed.Open(1);
        Assert.That(Bytes(input).SequenceEqual(Pictures("1.png")[0].Bytes));
        Assert.That(skipped.Snapshot().Select(entry => Path.GetFileName(entry.Path)), Is.EqualTo(new[] { "2.png", "3.png" }));
    }

    [TestCase(0)]
    [TestCase(1000)]
    public void AZipOf64Bits_AlsoBehindAProgram_IsRead(int before)
    {
        var packed = ImageFolder.Scan(folder.Write("x.zip", Archives.WideZip("cat/1.png", Pictures("1.png")[0].Bytes, before)));

        using var input = packed.Open(0);
        Assert.That(Bytes(input).SequenceEqual(Pictures("1.png")[0].Bytes));
        Assert.That(packed.StampOf(0).Modified, Is.EqualTo(new DateTime(2025, 1, 1).Ticks));
    }

    [Test]
    public void AZipWithAComment_IsRead()
    {
        byte[] zip = Archives.Zip(CompressionLevel.Optimal, Pictures("1.png"));
        byte[] comment = Encoding.ASCII.GetBytes("by hand PK\x05\x06");
        BinaryPrimitives.WriteUInt16LittleEndian(zip.AsSpan(zip.Length - 2), (ushort)comment.Length);

        Assert.That(ImageFolder.Scan(folder.Write("x.zip", [.. zip, .. comment])).Count, Is.EqualTo(1));
    }

    [Test]
    public void EncryptedAndForeignFilesOfAZip_AreNamed()
    {
        byte[] zip = Archives.Zip(CompressionLevel.Optimal, Pictures("1.png", "2.png", "3.png"));
        zip[Archives.DirectoryEntry(zip, "1.png") + 8] |= 1;
        zip[Archives.DirectoryEntry(zip, "2.png") + 10] = 14;
        string path = folder.Write("x.zip", zip);

        Assert.That(Names(ImageFolder.Scan(path, skipped)), Is.EqualTo(new[] { "3.png" }));
        Assert.That(skipped.Snapshot(), Is.EqualTo(new[] { ($"{path}/1.png", "it is encrypted"),
            ($"{path}/2.png", "it is compressed by LZMA, which is not read: pack it by 'deflate'") }));

        zip[Archives.DirectoryEntry(zip, "3.png") + 8] |= 1;
        folder.Write("x.zip", zip);
        Assert.That(() => ImageFolder.Scan(path), Throws.TypeOf<ImageFolderException>().With.Message.Contains("1.png: it is encrypted"));
    }

    [Test]
    public void ABombInAZip_TakesNoMemory()
    {
        // 200 MB of zeros behind a picture's first bytes, in 200 KB.
        byte[] bomb = [.. Pictures("1.png")[0].Bytes, .. new byte[200 << 20]];
        string path = folder.Write("x.zip", Archives.Zip(CompressionLevel.Optimal, [("1.png", bomb)]));
        var packed = ImageFolder.Scan(path);
        using var decoder = new ImageDecoder();
        var image = new RgbImage();

        long before = GC.GetAllocatedBytesForCurrentThread();
        using var input = packed.Open(0);
        Assert.That(() => decoder.Decode(input, image), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("far more than"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [TestCase(22, "its compressed data are more than the archive says", -1)]
    [TestCase(22, "its compressed data end early", 1)]
    [TestCase(16, "its checksum is not the one in the archive", 1)]
    public void ADirectoryThatLies_IsFoundOut(int field, string reason, int by)
    {
        field += field == 22 ? 2 : 0; // the length of the file itself
        byte[] zip = Archives.Zip(CompressionLevel.Optimal, Pictures("1.png"));
        var place = zip.AsSpan(Archives.DirectoryEntry(zip, "1.png") + field);
        BinaryPrimitives.WriteInt32LittleEndian(place, BinaryPrimitives.ReadInt32LittleEndian(place) + by);
        using var input = ImageFolder.Scan(folder.Write("x.zip", zip)).Open(0);

        Assert.That(() => Bytes(input), Throws.InstanceOf<IOException>().With.Message.Contains(reason));
    }

    [Test]
    public void DamagedCompressedData_AreAnImageDecodeException()
    {
        byte[] zip = Archives.Zip(CompressionLevel.Optimal, Pictures("1.png"));
        zip.AsSpan(60, 20).Fill(0xFF);
        var packed = ImageFolder.Scan(folder.Write("x.zip", zip));
        using var decoder = new ImageDecoder();
        using var input = packed.Open(0);

        Assert.That(() => decoder.Decode(input, new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("x.zip/1.png"));
    }

    [TestCaseSource(nameof(kinds))]
    public void AnArchiveThatIsAnotherOneNow_IsNotRead(string kind)
    {
        string path = Make(kind, Pictures("1.png"));
        var packed = ImageFolder.Scan(path);
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1));

        Assert.That(() => packed.Open(0), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("changed after it was listed"));
    }

    [TestCase("x.tar.gz")]
    [TestCase("x.7z")]
    [TestCase("x")]
    public void CompressedAsAWhole_IsRefusedWithAdvice(string name)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Archives.Tar(TarEntryFormat.Pax, Pictures("1.png")));

        Assert.That(() => ImageFolder.Scan(folder.Write(name, stream.ToArray())), Throws.TypeOf<ImageFolderException>()
            .With.Message.Contains("cannot be read in place").And.Message.Contains("unpack it"));
    }

    [TestCase("photos.tar Pax")]
    [TestCase("photos.zip Optimal")]
    public void ContentTells_WhereTheNameDoesNot(string kind)
    {
        string path = Make(kind, Pictures("1.png")), other = folder.PathOf("photos");
        File.Move(path, other);
        Assert.That(ImageFolder.Scan(other).Count, Is.EqualTo(1));
        string misnamed = folder.PathOf(kind.StartsWith("photos.tar", StringComparison.Ordinal) ? "photos.zip" : "photos.tar");
        File.Move(other, misnamed);
        Assert.That(ImageFolder.Scan(misnamed).Count, Is.EqualTo(1));
    }

    [TestCase("x.zip")]
    [TestCase("x.tar")]
    [TestCase("x.txt")]
    public void FoldersAndPipesOfAnArchivesName_AreWhatTheyAre(string name)
    {
        folder.WritePicture(name + "/a/1.png", 1);
        Assert.That(ImageFolder.Scan(folder.PathOf(name)).ClassNames, Is.EqualTo(new[] { "a" }));
        if (OperatingSystem.IsWindows())
            return;
        string pipe = folder.PathOf("p" + name);
        StrangeFiles.MakePipe(pipe);
        Assert.That(() => ImageFolder.Scan(pipe), Throws.TypeOf<ImageFolderException>().With.Message.Contains("pipe (FIFO)"));
    }

    [Test]
    public void MutatedArchives_GiveNoForeignException()
    {
        var random = new Random(17);
        using var decoder = new ImageDecoder();
        var image = new RgbImage();
        byte[][] whole = [.. kinds.Select(kind => File.ReadAllBytes(Make(kind, Pictures("a/1.png", "b/2.png")))),
            Archives.WideZip("a/1.png", Pictures("1.png")[0].Bytes)];
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = [.. whole[i % whole.Length]];
            for (int change = random.Next(1, 5); change > 0; change--)
            {
                // Headers are where it hurts: the first kilobyte, and the end.
                int near = random.Next(Math.Min(600, bytes.Length));
                int at = random.Next(3) switch { 0 => near, 1 => bytes.Length - 1 - near, _ => random.Next(bytes.Length) };
                bytes[at] = (byte)(random.Next(4) == 0 ? 0xFF : random.Next(256));
            }
            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            string path = folder.Write(i % whole.Length is < 4 ? "m.tar" : "m.zip", bytes);
            try
            {
                var found = ImageFolder.Scan(path);
                for (int sample = 0; sample < found.Count; sample++)
                {
                    using var input = found.Open(sample);
                    decoder.Decode(input, image);
                }
            }
            catch (Exception e) when (e is ImageFolderException or ImageDecodeException)
            {
            }
        }
    }

    private string Make(string kind, params (string Name, byte[] Bytes)[] files)
    {
        string[] words = kind.Split(' ');
        return folder.Write(words[0], words[1] == "streamed" ? Archives.StreamedZip(files)
            : words[0].EndsWith("zip", StringComparison.Ordinal) ? Archives.Zip(Enum.Parse<CompressionLevel>(words[1]), files)
            : Archives.Tar(Enum.Parse<TarEntryFormat>(words[1]), files));
    }

    private static (string Name, byte[] Bytes)[] Pictures(params string[] names) =>
        [.. names.Select((name, i) => (name, PictureFolder.Encode("x.png", PictureFolder.Pattern(i, 40, 30))))];

    private static string[] Names(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];

    private static byte[] Bytes(PictureInput input)
    {
        byte[] bytes = new byte[input.Length];
        for (int read = 0; read < bytes.Length;)
            read += input.Read(bytes.AsSpan(read), read) is > 0 and var count ? count : throw new EndOfStreamException();
        Assert.That(input.Read(new byte[1], bytes.Length), Is.Zero);
        return bytes;
    }
}
