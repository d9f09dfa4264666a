using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Io;

/// <summary>PyTorch's container as data: what torch.save needs is read, everything else is refused with a reason.</summary>
public class PyTorchFileTests
{
    // A tensor "w" of two floats: the parts around what a test changes. Pickles stand here escaped: a test whose name has control
    // characters
    // is never run, and nobody is told.
    private const string DictText = @"ccollections\nOrderedDict\n)R", RebuildText = @"ctorch._utils\n_rebuild_tensor_v2\n";
    private const string StorageText = @"(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0002tQ";

    private static readonly string Dict = Unescape(DictText), Rebuild = Unescape(RebuildText);

    private string folder = "";

    private string File1 => Path.Combine(folder, "one.pth");

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-pth-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Write_ThenRead_GivesTheSame()
    {
        float[] many = [.. Enumerable.Range(0, 70_001).Select(i => i * 0.5f)];
        PyTorchFile.Write(File1,
        [
            TensorEntry.Of("ein ü", [many.Length], many), TensorEntry.Of("scalar", [], new[] { Math.PI }),
                TensorEntry.Of("none", [0, 3], Array.Empty<float>()),
            TensorEntry.Of("flags", [2], new[] { true, false }), TensorEntry.Of("long", [1, 1], new[] { long.MinValue }),
        ]);

        using var file = WeightsFile.Open(File1);

        Assert.That(file, Is.InstanceOf<PyTorchFile>());
        Assert.That(file.Names, Is.EqualTo(new[] { "ein ü", "scalar", "none", "flags", "long" }));
        Assert.That(file.Floats("ein ü").AsSpan().SequenceEqual(many));
        Assert.That(file.Doubles("scalar"), Is.EqualTo(new[] { Math.PI }));
        Assert.That(file.Shape("scalar"), Is.Empty);
        Assert.That(file.Shape("none"), Is.EqualTo(new[] { 0L, 3L }));
        Assert.That(file.Bytes("flags"), Is.EqualTo(new byte[] { 1, 0 }));
        Assert.That(file.Longs("long"), Is.EqualTo(new[] { long.MinValue }));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1), "no temporary file stays");
    }

    [Test]
    public void Write_MakesAZipThatOthersRead_WithAlignedValues()
    {
        PyTorchFile.Write(File1, [TensorEntry.Of("a", [1], new[] { 1f }), TensorEntry.Of("b", [3], new[] { 2f, 3f, 4f })]);

        using (var zip = ZipFile.OpenRead(File1))
        {
            Assert.That(zip.Entries.Select(entry => entry.FullName), Is.EqualTo(
                new[] { "archive/data.pkl", "archive/byteorder", "archive/data/0", "archive/data/1", "archive/version" }));
            using var values = new BinaryReader(zip.GetEntry("archive/data/1")!.Open());
            Assert.That(values.ReadBytes(12), Is.EqualTo(Convert.FromHexString("000000400000404000008040")));
        }
        byte[] bytes = File.ReadAllBytes(File1);
        Assert.That(bytes.AsSpan().IndexOf(Convert.FromHexString("000000400000404000008040")) % 64, Is.Zero);
        Assert.That(() => PyTorchFile.Write(File1, [TensorEntry.Of("a", [1], new[] { 1f }), TensorEntry.Of("a", [1], new[] { 1f })]),
            Throws.ArgumentException);
    }

    // What programs keep beside their weights: settings, paths, numbers of numpy, states of optimizers.
    [TestCase(@"cpathlib\nPosixPath\n(X\u0001\0\0\0/X\u0003\0\0\0tmptR", "(an object of pathlib.PosixPath, not read)")]
    [TestCase(@"cargparse\nNamespace\n)\u0081}X\u0001\0\0\0xcpathlib\nPurePosixPath\n(X\u0001\0\0\0/tRsb", null)]
    [TestCase(@"comegaconf.dictconfig\nDictConfig\n)\u0081}(X\u0005\0\0\0_metacomegaconf.base\nMetadata\n)\u0081}X\u0001\0\0\0tctyping\nAny\nsbX\u0001\0\0\0dc__builtin__\ndict\nub", "omegaconf.dictconfig.DictConfig")]
    [TestCase(@"cpytorch_lightning.utilities.parsing\nAttributeDict\n)\u0081(X\u0002\0\0\0lrG\u003f\u00b9\u0099\u0099\u0099\u0099\u0099\u009aX\u0001\0\0\0nK\u0001u", "AttributeDict")]
    [TestCase(@"c__main__\nMode\nK\u0001\u0085R", "__main__.Mode")]
    [TestCase(@"c__builtin__\ngetattr\nc__main__\nMode\nX\u0001\0\0\0A\u0086R", "__main__.Mode.A")]
    [TestCase(@"\u008b\u0003\0\0\0\u0001\u0002\u0003", "int")]
    [TestCase(@"ccollections\nOrderedDict\n", "OrderedDict")]
    [TestCase(@"cnumpy\nsum\n", "numpy.sum")]
    [TestCase(@"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(X\u0002\0\0\0f4\u0089\u0088tR(K\u0003X\u0001\0\0\0>NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\u0000tbc_codecs\nencode\n(X\u0004\0\0\0aaaaX\u0006\0\0\0latin1tR\u0086R", "numpy.?")]
    [TestCase(@"ccollections\ndefaultdict\nc__builtin__\nlist\n\u0085RX\u0001\0\0\0a]s", null)]
    [TestCase(@"c__builtin__\nset\n]K\u0001a\u0085R", "__builtin__.set")]
    [TestCase(@"cdatetime\ndatetime\nc_codecs\nencode\n(X\u0001\0\0\0aX\u0006\0\0\0latin1tR\u0085R", "datetime.datetime")]
    [TestCase(@"ctorch\ndevice\nX\u0003\0\0\0cpu\u0085R", "torch.device")]
    [TestCase(@"ctorch\nfloat32\n", "torch.float32")]
    [TestCase(@"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(X\u0002\0\0\0u1\u0089\u0088tRc_codecs\nencode\n(X\u0001\0\0\0aX\u0006\0\0\0latin1tR\u0086R", "numpy.u")]
    [TestCase(@"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\u0085X\u0001\0\0\0b\u0087R(K\u0001K\u0002\u0085tb",
        "numpy.core.multiarray._reconstruct")]
    [TestCase(@"ccopy_reg\n_reconstructor\n(cyacs.config\nCfgNode\nc__builtin__\ndict\n}tRX\u0001\0\0\0aK\u0001s}b", "yacs.config.CfgNode")]
    [TestCase(@"}(NK\u0001G\0\0\0\0\0\0\0\0K\u0002\u0088K\u0003K\u0001K\u0002\u0086K\u0004c__main__\nMode\nK\u0001\u0085RK\u0005u", null)]
    public void ObjectsOfOtherPrograms_AreNoReasonToRefuseTheTensors(string pickle, string? said)
    {
        Lay(Dict + "(" + Text("weight") + Tensor(0, [2], [1], 2) + Text("args") + Unescape(pickle) + "u", [1, 2]);

        using var file = WeightsFile.Open(File1);

        Assert.That(file.Names, Is.EqualTo(new[] { "weight" }));
        Assert.That(file.Floats("weight"), Is.EqualTo(new[] { 1f, 2f }));
        if (said is not null)
            Assert.That(file.Metadata["args"], Does.Contain(said));
    }

    [Test]
    public void Metadata_GoesThrough_AndPyTorchsMembersAreAsTheyWere()
    {
        PyTorchFile.Write(File1, [TensorEntry.Of("a", [1], new[] { 1f })], new Dictionary<string, string> { ["dino.num_heads"] = "3" });

        using (var file = WeightsFile.Open(File1))
        {
            Assert.That(file.Metadata["dino.num_heads"], Is.EqualTo("3"));
            Assert.That(file.Names, Is.EqualTo(new[] { "a" }), "no tensor of the state dict");
        }
        byte[] pickle = Encoding.Latin1.GetBytes("\u0080\u0002" + Dict + "(" + Text("a") + Tensor(0, [1], [1], 1) + "u.");
        Check(Members(("archive/data.pkl", pickle), ("archive/data/0", new byte[4]), ("archive/dino.json", "[]"u8.ToArray())),
            "dino.json is not a map of texts");
        Check(Members(("archive/data.pkl", pickle), ("archive/data/0", new byte[4]), ("archive/dino.json", "{\"a\":1}"u8.ToArray())),
            "dino.json is not a map of texts");
    }

    // By the first bytes: most are downloads that went wrong, or archives that were not unpacked.
    [TestCase("<!DOCTYPE html><html>Not found</html>", "an HTML page")]
    [TestCase("\n<HTML><body>", "an HTML page")]
    [TestCase("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 86700000\n",
        "a pointer of Git LFS (73 bytes) in the place of the file, which has 86700000: git lfs pull")]
    [TestCase("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML text")]
    [TestCase("{\"error\": \"Repository not found\"}", "a JSON text")]
    [TestCase("\u001f\u008b\u0008\0\0\0", "gzip")]
    [TestCase("\u0089PNG\r\n", "a picture (PNG)")]
    [TestCase("\u0093NUMPY\u0001\0", "an array of numpy")]
    [TestCase("\u0080\u0004\u0095", "a pickle of protocol 4")]
    [TestCase("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "all 0")]
    [TestCase("", "empty")]
    [TestCase("these are not the weights", "a text of 25 bytes")]
    [TestCase("PK\u0003\u0004 and then it ends before the end", "fetch it again")]
    public void WhatIsNoWeightsFile_IsCalledWhatItIs(string content, string words)
    {
        File.WriteAllBytes(File1, Encoding.Latin1.GetBytes(content));
        Assert.That(() => WeightsFile.Open(File1),
            Throws.TypeOf<InvalidDataException>().With.Message.StartsWith(File1 + ": ").And.Message.Contains(words)
            .And.Message.Not.Contains("\n"));
    }

    [Test]
    public void View_OfEveryLayout_IsGathered()
    {
        // 3×4 numbers; the views by sizes and strides, and what they must hold.
        float[] numbers = [.. Enumerable.Range(0, 12).Select(i => (float)i)];
        (string Name, int Offset, int[] Sizes, int[] Strides, float[] Expected)[] views =
        [
            ("transposed", 0, [4, 3], [1, 4], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]), ("column", 2, [3], [4], [2, 6, 10]),
            ("expanded", 5, [2, 3], [0, 0], [5, 5, 5, 5, 5, 5]), ("rows", 4, [2, 4], [0, 1], [4, 5, 6, 7, 4, 5, 6, 7]),
            ("window", 5, [2, 2], [4, 2], [5, 7, 9, 11]), ("one", 11, [1, 1], [99, 7], [11]),
        ];
        string pickle = Dict + "(" + string.Concat(
            views.Select(view => Text(view.Name) + Tensor(view.Offset, view.Sizes, view.Strides, 12))) + "u";
        Lay(pickle, numbers);

        using var file = WeightsFile.Open(File1);

        foreach (var (name, _, _, _, expected) in views)
            Assert.That(file.Floats(name), Is.EqualTo(expected), name);
    }

    [TestCase(@"cposix\nsystem\nX\u0002\0\0\0ls\u0085R", "'posix.system'")]
    [TestCase(@"c__builtin__\neval\n(X\u0001\0\0\01tR", "'__builtin__.eval'")]
    [TestCase(@"ctorch.jit\n_unwrap_optional\n)R", "'torch.jit._unwrap_optional'")]
    [TestCase(@"ccollections\nOrderedDict2\n)R", "'collections.OrderedDict2'")]
    [TestCase(@"ctorch._utils._rebuild_tensor\nv2\n)R", "is not one of plain data")]
    [TestCase(@"(iposix\nsystem\n", "opcode 0x69 at byte 3: this opcode is not read")]
    [TestCase(@"(X\u0002\0\0\0lso", "0x6f")]
    [TestCase(@"X\u0005\0\0\0posixX\u0006\0\0\0system\u0093", "0x93")]
    [TestCase(@"ccollections\nOrderedDict\n)\u0081", "NEWOBJ of something else")]
    [TestCase(@"cargparse\nNamespace\nK\u0001\u0085\u0081", "NEWOBJ of something else")]
    [TestCase(@"\u0082\u0001", "0x82")]
    [TestCase(@"\u0095\u0001\0\0\0\0\0\0\0.", "0x95")]
    [TestCase(@"\u0096\u0001\0\0\0\0\0\0\0A", "0x96")]
    [TestCase(@"\u0097", "0x97")]
    [TestCase(@"S'text'\n", "0x53")]
    [TestCase(@"K\u00012", "0x32")]
    [TestCase(@"}K\u0001K\u0002s}b", "a state of kind dict for a dict")]
    [TestCase(@"]}b", "for a list")]
    [TestCase(@"}]]s", "a key of kind list")]
    [TestCase(@"]K\u0001K\u0002s", "set in a list")]
    [TestCase(@"}K\u0001a", "appended to a dict")]
    [TestCase(@"}(K\u0001u", "1 keys and values")]
    [TestCase(@"}K\u0001NsK\u0001Ns", "a key that is there already")]
    [TestCase(@"}(K\u0001K\u0001s", "the stack is empty")]
    [TestCase(@"h\u0005", "a value that was not kept")]
    [TestCase(@"s", "the stack is empty")]
    [TestCase(@"t", "no mark is set")]
    [TestCase(@"NN", "it ends with 2 values")]
    [TestCase(@"K", "1 bytes are announced")]
    [TestCase(@"X\u00f0\u00ff\u00ff\u00ffAAAA", "4294967280 bytes are announced")]
    [TestCase(@"X\u0002\0\0\0\u00c3\u0028", "not UTF-8")]
    [TestCase(@"cposix", "a name of more than")]
    [TestCase(@"ctorch\nFloatStorage\n)R", "Storage with the arguments ()")]
    [TestCase(@"ctorch\nFloatStorage\n", "a name where data was expected")]
    [TestCase(StorageText, "a storage where data was expected")]
    [TestCase(@"(X\u0006\0\0\0modulectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0002tQ", "something else than a storage")]
    [TestCase(@"(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuJ\u00ff\u00ff\u00ff\u00fftQ",
        "not a number from 0")]
    [TestCase(@"(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0002)tQ", "a view of another")]
    [TestCase(@"]" + StorageText + @"a(X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\00X\u0003\0\0\0cpuK\u0003tQ",
        "two types or lengths")]
    [TestCase(RebuildText + @"(" + StorageText + @"K\u0000K\u0002\u0085K\u0001\u0085\u0089" + DictText + @"X\u0001\0\0\0aNstR", "hooks")]
    [TestCase(@"]q\u0000h\u0000a", "nested more than 64 deep")]
    [TestCase(@"cnumpy\ndtype\n(X\u0002\0\0\0O8\u0089\u0088tRq\u0000(K\u0003X\u0001\0\0\0>NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\u0000tb", "for a dtype")]
    [TestCase(@"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(X\u0002\0\0\0O8\u0089\u0088tRc_codecs\nencode\n(X\u0001\0\0\0aX\u0006\0\0\0latin1tR\u0086R", "numpy number")]
    [TestCase(@"c_codecs\nencode\n(X\u0001\0\0\0aX\u0006\0\0\0base64tR", "Encode with the arguments")]
    [TestCase(@"cbuiltins\ngetattr\n(cos\nenviron\nX\u0001\0\0\0atR", "'os.environ'")]
    [TestCase(@"cbuiltins\ngetattr\n(]X\u0001\0\0\0atR", "Attribute with the arguments (list, text)")]
    [TestCase(@"csubprocess\nPopen\n)R", "'subprocess.Popen'")]
    [TestCase(@"cos.path\njoin\n)R", "'os.path.join'")]
    [TestCase(@"ctorch.hub\nload\n)R", "'torch.hub.load'")]
    [TestCase(@"ctorch.storage\n_load_from_bytes\n)R", "'torch.storage._load_from_bytes'")]
    [TestCase(@"ctorch._utils\n_rebuild_sparse_tensor\n)R", "'torch._utils._rebuild_sparse_tensor'")]
    [TestCase(@"cvit\nViT\n)\u0081}X\u0001\0\0\0aK\u0001sb", "'vit.ViT' was saved whole")]
    [TestCase(@"}X\u0005\0\0\0modelcvit\nViT\n)\u0081s", "torch.save(model.state_dict(), \"weights.pth\")")]
    public void Pickle_ThatIsMoreThanData_IsRefused(string pickle, string reason)
    {
        Lay(Unescape(pickle), [1, 2]);

        Assert.That(() => WeightsFile.Open(File1),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason).And.Message.StartsWith(File1));
    }

    [TestCase(0, new[] { 3 }, new[] { 1 }, "past its storage")]
    [TestCase(2, new[] { 1 }, new[] { 1 }, "past its storage")]
    [TestCase(0, new[] { 2, 2 }, new[] { 1, 0 }, null)]
    [TestCase(0, new[] { 1 << 30, 1 << 30, 1 << 30, 1 << 30 }, new[] { 0, 0, 0, 0 }, "more elements than there can be")]
    [TestCase(0, new[] { int.MaxValue, int.MaxValue }, new[] { int.MaxValue, int.MaxValue }, "past its storage")]
    [TestCase(0, new[] { 1 << 24 }, new[] { 0 }, "over and over")]
    [TestCase(0, new[] { 1, 2 }, new[] { 1 }, "2 sizes and 1 strides")]
    [TestCase(-1, new[] { 1 }, new[] { 1 }, "not a number from 0")]
    [TestCase(0, new[] { -1 }, new[] { 1 }, "not a number from 0")]
    [TestCase(0, new[] { 2, 0, 1 << 30 }, new[] { 1, 1, 1 }, null)]
    [TestCase(3, new[] { 0 }, new[] { 1 }, "past its storage")]
    public void View_MustLieInItsStorage(int offset, int[] sizes, int[] strides, string? reason)
    {
        Lay(Dict + Text("w") + Tensor(offset, sizes, strides, 2) + "s", [1, 2]);

        if (reason is null)
        {
            using var file = WeightsFile.Open(File1);
            Assert.That(file.Shape("w"), Is.EqualTo(sizes.Select(size => (long)size)));
        }
        else
        {
            Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason));
        }
    }

    [Test]
    public void View_WhoseElementsOverlap_IsRefused()
    {
        Lay(Dict + Text("w") + Tensor(0, [3, 2], [1, 2], 12) + "s", new float[12]);

        Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>().With.Message.Contains("overlap"));
    }

    [Test]
    public void ListsInLists_AreRefused_HoweverTheyAreNamed()
    {
        // Each list names the one before it twice: 2⁴⁰ leaves in 300 bytes.
        var laughs = new StringBuilder("]q\0");
        for (int i = 0; i < 40; i++)
            laughs.Append($"]q{(char)(i + 1)}h{(char)i}ah{(char)i}a");
        Lay(laughs.ToString(), []);
        // Lists of nothing, a megabyte of them.
        string many = new(']', 1 << 20);

        Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>());
        Lay(many, []);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>().With.Message.Contains("MiB of plain data"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(66 << 20));
        Lay(string.Concat(Enumerable.Repeat("(", 65)), []);
        Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>().With.Message.Contains("nested"));
    }

    [Test]
    public void Zip_OfTwoMinds_IsRefused()
    {
        byte[] good = Zip(Dict + Text("w") + Tensor(0, [2], [1], 2) + "s", [1, 2]);
        int end = good.Length - 22, directory = BinaryPrimitives.ReadInt32LittleEndian(good.AsSpan(end + 16));
        int last = good.AsSpan(0, directory).LastIndexOf("PK\u0003\u0004"u8);
        Check(good, null);
        Check([.. good, 0], "cut short, or something follows it");
        Check([0, .. good], "neither a safetensors nor a PyTorch file");
        Check(good[..^1], "cut short");
        Check(good[..(directory - 5)], "cut short");
        Check(With(good, end + 20, 1), "comment");
        Check(With(good, end + 10, 2), "several parts");
        Check(With(good, end + 12, 90), "does not end where");
        Check(With(good, end + 16, 3), "does not end where");
        Check(With(good, directory + 10, 8), "compressed");
        Check(With(good, directory + 8, 1), "encrypted");
        Check(With(good, directory + 8, 0x40), "flags");
        Check(With(good, directory + 24, 7), "two lengths");
        Check(With(good, directory + 46, (byte)'b'), "described in two ways");
        Check(With(good, directory + 42, 1), "overlap or leave a hole");
        Check(With(good, directory + 16, 1), "described in two ways");
        Check(With(good, last + 6, 1), "described in two ways");
        Check(With(good, last + 18, 99), "described in two ways");
        int value = good.AsSpan().IndexOf(Convert.FromHexString("0000803F00000040"));
        Check(With(good, value + 1, 5), "checksum");
        Check(With(good, 0, (byte)'Q'), "neither");

        Check(Members(("archive/data.pkl", "\u0080\u0002N."u8.ToArray()), ("archive/data.pkl", "\u0080\u0002N."u8.ToArray())),
            "there twice");
        Check(Members(("archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("other/x", [])), "not in one folder");
        Check(Members(("archive/other", [])), "no data.pkl");
        Check(Members(), "not in one folder");
        Check(Members(("archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.', 1])), "1 bytes follow its pickle");
        Check(Members(("archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("archive/constants.pkl", [])), "TorchScript");
        Check(Members(("archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("archive/archive_format", [])), ".pt2");
        Check(Members(("archive/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("archive/byteorder", "big"u8.ToArray())), "little-endian");
        // As torch.jit.save does: compressed, and still refused for what it is.
        Check(Members(("a/data.pkl", [0x80, 2, (byte)'N', (byte)'.']), ("a/code/b.py", "def f(): pass"u8.ToArray())), "TorchScript");
        Check([.. new byte[257], .. "ustar"u8, .. new byte[300]], "tar archive");
        Check([0x80, 2, (byte)'N', (byte)'.'], "torch.save did not write");
    }

    private void Check(byte[] bytes, string? reason)
    {
        File.WriteAllBytes(File1, bytes);
        if (reason is null)
            WeightsFile.Open(File1).Dispose();
        else
            Assert.That(() => WeightsFile.Open(File1), Throws.TypeOf<InvalidDataException>().With.Message.Contains(reason));
    }

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        byte[] changed = [.. bytes];
        Assert.That(changed[at], Is.Not.EqualTo(value));
        changed[at] = value;
        return changed;
    }

    private static string Unescape(string text) => Regex.Replace(
        text, @"\\(?:n|0|u([0-9a-f]{4}))", match =>
            match.Value switch { "\\n" => "\n", "\\0" => "\0", _ => ((char)Convert.ToInt32(match.Groups[1].Value, 16)).ToString() });

    private static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";

    private static string Integer(int value) =>
        "J" + Encoding.Latin1.GetString(BitConverter.GetBytes(value));

    private static string Tensor(int offset, int[] sizes, int[] strides, int count) =>
        Rebuild + "((" + Text("storage") + "ctorch\nFloatStorage\n" + Text("0") + Text("cpu") + Integer(count) + "tQ" + Integer(offset)
        + "(" + string.Concat(sizes.Select(Integer)) + "t(" + string.Concat(strides.Select(Integer)) + "t\u0089" + Dict + "tR";

    private void Lay(string pickle, float[] numbers) => File.WriteAllBytes(File1, Zip(pickle, numbers));

    private static byte[] Zip(string pickle, float[] numbers)
    {
        byte[] data = new byte[4 * numbers.Length];
        Buffer.BlockCopy(numbers, 0, data, 0, data.Length);
        return Members(("archive/data.pkl", Encoding.Latin1.GetBytes($"\u0080\u0002{pickle}.")), ("archive/data/0", data),
            ("archive/version", "3\n"u8.ToArray()));
    }

    // By the platform's own writer: the reader must not be tested with our own alone.
    private static byte[] Members(params (string Name, byte[] Bytes)[] members)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, bytes) in members)
            {
                using var member = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                member.Write(bytes);
            }
        return stream.ToArray();
    }
}
