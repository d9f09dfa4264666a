using System.Buffers.Binary;
using System.Text;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Io;

/// <summary>Files as numpy's format says (NEP 1): magic, version, length of the header, a Python dict, the numbers.</summary>
public class NpyTests
{
    private string path = "";

    [SetUp]
    public void MakePath() => path = Path.GetTempFileName();

    [TearDown]
    public void Delete() => File.Delete(path);

    [Test]
    public void Rows()
    {
        NpyFile.Write(path, 2, 3, row => [row, 0.5f, -row]);
        byte[] file = File.ReadAllBytes(path);

        Assert.That(file[..8], Is.EqualTo(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0 }));
        Assert.That(BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8)), Is.EqualTo(118));
        Assert.That(file.Length, Is.EqualTo(128 + 2 * 3 * 4));
        Assert.That(file[127], Is.EqualTo((byte)'\n'));
        Assert.That(Encoding.ASCII.GetString(file, 10, 117).TrimEnd(),
            Is.EqualTo("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
        Assert.That(Enumerable.Range(0, 6).Select(i => BitConverter.ToSingle(file, 128 + 4 * i)),
            Is.EqualTo(new[] { 0f, 0.5f, 0, 1, 0.5f, -1 }));
    }

    [Test]
    public void WholeNumbers_OfOneDimension()
    {
        NpyFile.Write(path, (int[])[7, -1]);
        byte[] file = File.ReadAllBytes(path);

        Assert.That(Encoding.ASCII.GetString(file, 10, 117).TrimEnd(),
            Is.EqualTo("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }"));
        Assert.That((BitConverter.ToInt32(file, 128), BitConverter.ToInt32(file, 132), file.Length), Is.EqualTo((7, -1, 136)));
    }
}
