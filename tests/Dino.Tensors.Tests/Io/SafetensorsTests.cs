using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using Dino.Tensors.Io;
using NUnit.Framework;
using NUnit.Framework.Constraints;

namespace Dino.Tensors.Tests.Io;

/// <summary>
/// The format as its specification states it: bytes laid by hand are read, written bytes are looked at, lies are refused.
/// </summary>
public class SafetensorsTests
{
    private string folder = "";

    private string File1 => Path.Combine(folder, "one.safetensors");

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-safetensors-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Read_GivesEveryTypeItsValues()
    {
        Lay("""
            {"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"l":{"dtype":"I64","shape":[],"data_offsets":[8,16]},
             "f":{"dtype":"F32","shape":[2,1],"data_offsets":[16,24]},"i":{"dtype":"I32","shape":[1],"data_offsets":[24,28]},
             "h":{"dtype":"F16","shape":[3],"data_offsets":[28,34]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[34,38]},
             "u":{"dtype":"U8","shape":[2],"data_offsets":[38,40]},"t":{"dtype":"BOOL","shape":[1],"data_offsets":[40,41]},
             "none":{"dtype":"F32","shape":[0,3],"data_offsets":[41,41]},"__metadata__":{"made by":"hand"}}
            """,
            "000000000000F83F" + "FEFFFFFFFFFFFFFF" + "0000803F000020C1" + "F9FFFFFF" + "003C00BC007C" + "803F20C1" + "07FF" + "01");

        using var file = SafetensorsFile.Read(File1);

        Assert.That(file.Names, Is.EqualTo(new[] { "d", "l", "f", "i", "h", "b", "u", "t", "none" }));
        Assert.That(file.Doubles("d"), Is.EqualTo(new[] { 1.5 }));
        Assert.That(file.Longs("l"), Is.EqualTo(new[] { -2L }));
        Assert.That(file.Shape("l"), Is.Empty);
        Assert.That(file.Floats("f"), Is.EqualTo(new[] { 1f, -10f }));
        Assert.That(file.Shape("f"), Is.EqualTo(new[] { 2L, 1L }));
        Assert.That(file.Longs("i"), Is.EqualTo(new[] { -7L }));
        Assert.That(file.Floats("h"), Is.EqualTo(new[] { 1f, -1f, float.PositiveInfinity }));
        Assert.That(file.Floats("b"), Is.EqualTo(new[] { 1f, -10f }));
        Assert.That(file.Doubles("b"), Is.EqualTo(new[] { 1.0, -10.0 }));
        Assert.That(file.Bytes("u"), Is.EqualTo(new byte[] { 7, 255 }));
        Assert.That(file.Bytes("t"), Is.EqualTo(new byte[] { 1 }));
        Assert.That(file.Floats("none"), Is.Empty);
        Assert.That(file.Metadata["made by"], Is.EqualTo("hand"));
    }

    [Test]
    public void Read_OrdersTheNamesByPlace()
    {
        Lay("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "0A0B");

        using var file = SafetensorsFile.Read(File1);

        Assert.That(file.Names, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(file.Bytes("b"), Is.EqualTo(new byte[] { 0x0B }));
    }

    [Test]
    public void Write_LaysTheBytesThatTheFormatStates()
    {
        SafetensorsFile.Write(File1,
            [TensorEntry.Of("u", [1], new byte[] { 7 }), TensorEntry.Of("f", [1, 2], new[] { 1f, -10f }),
                TensorEntry.Of("n", [0], Array.Empty<byte>())],
            new Dictionary<string, string> { ["step"] = "3" });

        byte[] bytes = File.ReadAllBytes(File1);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.That(length % 8, Is.Zero, "the values are aligned");
        string header = Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' ');
        Assert.That(header, Does.Contain("2d06800538d394c2\"}"), "XXH3's published sum of nothing, for the tensor without values");
        Assert.That(Regex.Replace(header, "[0-9a-f]{16}", "S"), Is.EqualTo(
            """{"__metadata__":{"step":"3","xxh3.header":"S","xxh3.tensors":"SSS"},"f":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}"""
            + ""","u":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},"n":{"dtype":"U8","shape":[0],"data_offsets":[9,9]}}"""));
        Assert.That(Convert.ToHexString(bytes[(8 + length)..]), Is.EqualTo("0000803F000020C1" + "07"));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1), "no temporary file stays");
    }

    [Test]
    public void Write_ThenRead_GivesTheSame()
    {
        // More than one piece of the writer, and names that JSON has to escape.
        float[] many = [.. Enumerable.Range(0, (1 << 20) + 3).Select(i => i * 0.5f)];
        SafetensorsFile.Write(File1,
        [
            TensorEntry.Of("viele \"Zahlen\" ü", [many.Length], many),
            TensorEntry.Of("scalar", [], new[] { Math.PI }),
            TensorEntry.Of("flags", [2], new[] { true, false }),
            TensorEntry.Of("long", [1], new[] { long.MinValue }),
            TensorEntry.Of("int", [1], new[] { int.MinValue }),
        ]);

        using var file = SafetensorsFile.Read(File1);

        Assert.That(file.Floats("viele \"Zahlen\" ü").AsSpan().SequenceEqual(many));
        Assert.That(file.Doubles("scalar"), Is.EqualTo(new[] { Math.PI }));
        Assert.That(file.Type("flags"), Is.EqualTo(ElementType.BOOL));
        Assert.That(file.Bytes("flags"), Is.EqualTo(new byte[] { 1, 0 }));
        Assert.That(file.Longs("long"), Is.EqualTo(new[] { long.MinValue }));
        Assert.That(file.Longs("int"), Is.EqualTo(new[] { (long)int.MinValue }));
    }

    [Test]
    public void AnyFlippedBit_IsNoticed_AndTheTensorIsNamed()
    {
        SafetensorsFile.Write(File1,
            [TensorEntry.Of("weights", [3], new[] { 1f, 2f, 3f }), TensorEntry.Of("steps", [1], new[] { 5L }),
                TensorEntry.Of("flags", [1], new[] { true })],
            new Dictionary<string, string> { ["dino"] = "{\"step\": 3}" });
        byte[] good = File.ReadAllBytes(File1);
        using (var file = SafetensorsFile.Read(File1))
            Assert.That(file.Metadata.Keys, Is.EqualTo(new[] { "dino" }), "the sums are not for the reader");
        int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        // Every bit of the values; of the header, where one bit of a byte is as good as another, one bit a byte, each in its turn.
        for (int bit = 0; bit < 8 * good.Length; bit += bit / 8 < data ? 9 : 1)
        {
            byte[] flipped = [.. good];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            File.WriteAllBytes(File1, flipped);
            string tensor = bit / 8 < data ? "" : bit / 8 < data + 8 ? "'steps'" : bit / 8 < data + 20 ? "'weights'" : "'flags'";
            Assert.That(() => SafetensorsFile.Read(File1), Refused(tensor), $"bit {bit}");
        }
    }

    [Test]
    public void TheSameState_IsTheSameFile()
    {
        void Write(string path) => SafetensorsFile.Write(
            path, [TensorEntry.Of("a", [2], new[] { 1f, 2f })], new Dictionary<string, string> { ["k"] = "v" });
        Write(File1);
        Write(Path.Combine(folder, "two.safetensors"));
        Assert.That(File.ReadAllBytes(Path.Combine(folder, "two.safetensors")), Is.EqualTo(File.ReadAllBytes(File1)));
    }

    [Test]
    public void Write_RefusesWhatNoReaderWouldTake()
    {
        var one = TensorEntry.Of("a", [1], new[] { 1f });

        Assert.That(() => SafetensorsFile.Write(File1, [one, one]), Throws.ArgumentException.With.Message.Contains("'a'"));
        Assert.That(() => SafetensorsFile.Write(File1, [one], new Dictionary<string, string> { ["xxh3.header"] = "" }),
            Throws.ArgumentException.With.Message.Contains("reserved"));
        Assert.That(() => TensorEntry.Of("a", [3], new[] { 1f }), Throws.ArgumentException.With.Message.Contains("[3]"));
        Assert.That(() => TensorEntry.Of("a", [-1], new[] { 1f }), Throws.ArgumentException);
        Assert.That(Directory.GetFiles(folder), Is.Empty);
    }

    [Test]
    public void AFailedWrite_LeavesTheOldFileAlone()
    {
        AtomicFile.Write(File1, stream => stream.WriteByte(1));

        Assert.That(
            () => AtomicFile.Write(File1, stream => { stream.WriteByte(2); throw new IOException("disk full"); }),
            Throws.TypeOf<IOException>().With.Message.EqualTo("disk full"));

        Assert.That(File.ReadAllBytes(File1), Is.EqualTo(new byte[] { 1 }));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void WhatAKilledWriteLeft_IsGoneAfterTheNext()
    {
        string left = Path.Combine(folder, $".{Path.GetFileName(File1)}.tmp");
        File.WriteAllBytes(left, [9, 9, 9]);

        AtomicFile.Write(File1, stream => stream.WriteByte(1));

        Assert.That(File.ReadAllBytes(File1), Is.EqualTo(new byte[] { 1 }));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void ASecondWriterOfAPath_FailsAndLeavesTheFirstAlone()
    {
        AtomicFile.Write(File1, stream =>
        {
            Assert.That(() => AtomicFile.Write(File1, other => other.WriteByte(2)), Throws.InstanceOf<IOException>());
            stream.WriteByte(1);
        });

        Assert.That(File.ReadAllBytes(File1), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    public void AnOpenFile_KeepsItsContent_WhenRenamedOver()
    {
        SafetensorsFile.Write(File1, [TensorEntry.Of("a", [1], new[] { 1f })]);
        using var old = SafetensorsFile.Read(File1);

        SafetensorsFile.Write(File1, [TensorEntry.Of("a", [1], new[] { 2f })]);

        Assert.That(old.Floats("a"), Is.EqualTo(new[] { 1f }));
    }

    [Test]
    public void AWrongNameTypeOrCount_IsNamed()
    {
        SafetensorsFile.Write(File1, [TensorEntry.Of("a", [2], new[] { 1f, 2f })]);
        using var file = SafetensorsFile.Read(File1);

        Assert.That(() => file.Floats("b"), Refused("'b'"));
        Assert.That(() => file.Longs("a"), Refused("'a' holds F32"));
        Assert.That(() => file.ReadFloats("a", new float[3]), Refused("has 2 values, 3 are wanted"));
    }

    private const string Four = "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";

    // The header, the number of bytes after it, and what the message must say.
    [TestCase("""{"a":{"dtype":"Q7","shape":[4],"data_offsets":[0,16]}}""", 16, "'Q7'")]
    [TestCase("""{"a":{"dtype":"5","shape":[1],"data_offsets":[0,4]}}""", 4, "'5'")]
    [TestCase("""{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}""", 16, "whole number")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}""", 6, "whole number")]
    [TestCase("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,16]}}""", 16, "whole number")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [TestCase("""{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}""", 16, "needs 20 bytes")]
    [TestCase("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}""", 16, "bytes 16 to 0")]
    [TestCase("""{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}}""", 16, "bytes 0 to 32 of 16")]
    [TestCase("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6, "overlap")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "hole")]
    [TestCase("{" + Four + "}", 5, "1 bytes after the last")]
    [TestCase("{" + Four + "," + Four + "}", 4, "'a' appears twice")]
    [TestCase("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "repeated")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}""", 4, "'x'")]
    [TestCase("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "lacks")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2,4]}}""", 4, "data_offsets")]
    [TestCase("""{"a":[]}""", 0, "not described by a map")]
    [TestCase("""{"__metadata__":{"a":1}}""", 0, "__metadata__")]
    [TestCase("""{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__")]
    [TestCase("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "repeated")]
    [TestCase("{" + Four + "} {}", 4, "JSON")]
    [TestCase("{" + Four, 4, "JSON")]
    [TestCase("[]", 0, "begin with")]
    [TestCase(" {}", 0, "begin with")]
    [TestCase("", 0, "begin with")]
    [TestCase("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "JSON")]
    public void AHeaderThatLies_IsRefused(string header, int dataLength, string message)
    {
        Lay(header, new string('0', 2 * dataLength));

        Assert.That(() => SafetensorsFile.Read(File1), Refused(message));
    }

    [Test]
    public void AHeaderThatIsNotUtf8_IsRefused()
    {
        byte[] header = Encoding.Latin1.GetBytes("""{"ü":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""");
        File.WriteAllBytes(File1, [.. BitConverter.GetBytes((long)header.Length), .. header]);

        Assert.That(() => SafetensorsFile.Read(File1), Refused("JSON"));
    }

    [TestCase("", "too short")]
    [TestCase("02000000000000", "too short")]
    [TestCase("FFFFFFFFFFFFFFFF7B7D", "not a safetensors file")]
    [TestCase("01E1F505000000007B7D", "not a safetensors file")] // 100,000,001
    [TestCase("00E1F505000000007B7D", "cut short")] // 100,000,000, the most allowed
    [TestCase("03000000000000007B7D", "cut short")]
    public void AHeaderLengthThatLies_IsRefused(string hex, string message)
    {
        File.WriteAllBytes(File1, Convert.FromHexString(hex));

        Assert.That(() => SafetensorsFile.Read(File1), Refused(message));
    }

    [Test]
    public void AHeaderOfMoreThanAnyFileNeeds_IsRefused_BeforeItCostsMemory()
    {
        string tensors = string.Join(',', Enumerable.Range(0, 100_001)
            .Select(i => $"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"));
        string dimensions = string.Join(',', Enumerable.Repeat("0", 33));
        (string Header, string Reason)[] cases =
        [
            ($"{{{tensors}}}", "more than 100000 tensors"),
                ($"{{\"a\":{{\"dtype\":\"U8\",\"shape\":[{dimensions}],\"data_offsets\":[0,0]}}}}", "more than 32 dimensions"),
            ($"{{\"__metadata__\":{{\"a\":\"{new string('b', 17 << 20)}\"}}}}", "__metadata__ holds more than"),
        ];
        foreach (var (header, reason) in cases)
        {
            Lay(header, "");
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(() => SafetensorsFile.Read(File1), Refused(reason));
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(2L * header.Length + (64 << 20)));
        }
    }

    private ContainsConstraint Refused(string message) =>
        Throws.TypeOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains(File1);

    private void Lay(string header, string dataHex)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(File1, [.. BitConverter.GetBytes((long)text.Length), .. text, .. Convert.FromHexString(dataHex)]);
    }
}
