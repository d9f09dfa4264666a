using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace Dino.Tensors.Io.Pickle;

/// <summary>
/// Writes a state dict as <c>torch.save</c> does since PyTorch 1.6: a pickle of protocol 2 and one member a storage, stored in a zip file.
/// </summary>
internal static class PyTorchWriter
{
    private const string Root = "archive/";
    private const int Alignment = 64; // of the values, as PyTorch aligns them
    private const ushort HasDescriptorAndUtf8 = 0x808;

    public static void Write(string path, IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        if (entries.GroupBy(entry => entry.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"The tensor name '{twice.Key}' is used twice.");
        if (entries.Sum(entry => entry.ByteLength + 1024L + 4L * entry.Name.Length) > uint.MaxValue || entries.Count > ushort.MaxValue - 8)
            throw new ArgumentException("The tensors need more than the 4 GiB that this container holds; safetensors has no such bound.");
        AtomicFile.Write(path, stream =>
        {
            using var zip = new Zip(stream);
            byte[] pickle = Pickle(entries);
            zip.Add("data.pkl", pickle.Length, output => output.Write(pickle));
            zip.Add("byteorder", 6, output => output.Write("little"u8));
            for (int i = 0; i < entries.Count; i++)
                zip.Add($"data/{i}", entries[i].ByteLength, entries[i].WriteTo);
            if (metadata.Count > 0)
            {
                byte[] texts = JsonSerializer.SerializeToUtf8Bytes(metadata);
                zip.Add(PyTorchFile.MetadataMember, texts.Length, output => output.Write(texts));
            }
            zip.Add("version", 2, output => output.Write("3\n"u8));
            zip.End();
        });
    }

    private static byte[] Pickle(IReadOnlyList<TensorEntry> entries)
    {
        using var stream = new MemoryStream();
        var pickle = new PickleWriter(stream);
        pickle.Begin();
        pickle.EmptyOrderedDict();
        pickle.Mark();
        for (int i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            pickle.Text(entry.Name);
            pickle.Global("torch._utils", "_rebuild_tensor_v2");
            pickle.Mark();
            pickle.Mark();
            pickle.Text("storage");
            pickle.Global("torch", StorageName(entry.Type));
            pickle.Text($"{i}");
            pickle.Text("cpu");
            pickle.Integer(entry.ByteLength / entry.Type.Size());
            pickle.Tuple();
            pickle.PersistentId();
            pickle.Integer(0);
            pickle.Integers([.. entry.Shape.Select(extent => (long)extent)]);
            long[] strides = new long[entry.Shape.Count];
            long step = 1;
            for (int k = strides.Length - 1; k >= 0; step *= entry.Shape[k--])
                strides[k] = step;
            pickle.Integers(strides);
            pickle.False();
            pickle.EmptyOrderedDict();
            pickle.Tuple();
            pickle.Reduce();
        }
        pickle.SetItems();
        pickle.End();
        return stream.ToArray();
    }

    private static string StorageName(ElementType type) => type switch
    {
        ElementType.F64 => "DoubleStorage",
        ElementType.F32 => "FloatStorage",
        ElementType.F16 => "HalfStorage",
        ElementType.BF16 => "BFloat16Storage",
        ElementType.I64 => "LongStorage",
        ElementType.I32 => "IntStorage",
        ElementType.I16 => "ShortStorage",
        ElementType.I8 => "CharStorage",
        ElementType.U8 => "ByteStorage",
        _ => "BoolStorage",
    };

    /// <summary>The opcodes that a state dict needs.</summary>
    private readonly struct PickleWriter(Stream stream)
    {
        public void Begin() => stream.Write([0x80, 2]);

        public void End() => stream.WriteByte((byte)'.');

        public void Mark() => stream.WriteByte((byte)'(');

        public void Tuple() => stream.WriteByte((byte)'t');

        public void PersistentId() => stream.WriteByte((byte)'Q');

        public void Reduce() => stream.WriteByte((byte)'R');

        public void SetItems() => stream.WriteByte((byte)'u');

        public void False() => stream.WriteByte(0x89);

        public void Global(string module, string name) => stream.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

        public void EmptyOrderedDict()
        {
            Global("collections", "OrderedDict");
            stream.Write(")R"u8);
        }

        public void Integers(long[] values)
        {
            Mark();
            foreach (long value in values)
                Integer(value);
            Tuple();
        }

        public void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> head = stackalloc byte[5];
            head[0] = (byte)'X';
            BinaryPrimitives.WriteInt32LittleEndian(head[1..], bytes.Length);
            stream.Write(head);
            stream.Write(bytes);
        }

        public void Integer(long value)
        {
            Span<byte> bytes = stackalloc byte[10];
            if (value == (int)value)
            {
                bytes[0] = (byte)'J';
                BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], (int)value);
                stream.Write(bytes[..5]);
                return;
            }
            (bytes[0], bytes[1]) = (0x8a, 8);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], value);
            stream.Write(bytes);
        }
    }

    /// <summary>Stored members with their checksums behind them, since those are known once the values are written.</summary>
    private sealed class Zip(Stream stream) : IDisposable
    {
        private readonly MemoryStream directory = new();
        private ushort count;
        private uint at;

        public void Add(string member, long length, Action<Stream> write)
        {
            byte[] name = Encoding.UTF8.GetBytes(Root + member);
            uint header = at, size = checked((uint)length);
            // An extra field that only moves the values to a multiple of the alignment.
            int padding = (int)(Alignment - (at + 30 + (uint)name.Length + 4) % Alignment) % Alignment;
            Span<byte> head = stackalloc byte[30];
            head.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(head, 0x04034b50);
            BinaryPrimitives.WriteUInt16LittleEndian(head[6..], HasDescriptorAndUtf8);
            BinaryPrimitives.WriteUInt16LittleEndian(head[26..], (ushort)name.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(head[28..], (ushort)(4 + padding));
            stream.Write(head);
            stream.Write(name);
            stream.Write([(byte)'F', (byte)'B', (byte)padding, 0]);
            stream.Write(new byte[padding]);

            var crc = new Crc32();
            var checksum = new HashingStream(stream, crc);
            write(checksum);
            if (checksum.Written != length)
                throw new InvalidOperationException($"'{member}' has {checksum.Written} bytes, not {length}.");
            Span<byte> descriptor = stackalloc byte[16];
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor, 0x08074b50);
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor[4..], crc.GetCurrentHashAsUInt32());
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor[8..], size);
            BinaryPrimitives.WriteUInt32LittleEndian(descriptor[12..], size);
            stream.Write(descriptor);

            Span<byte> entry = stackalloc byte[46];
            entry.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(entry, 0x02014b50);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[8..], HasDescriptorAndUtf8);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], crc.GetCurrentHashAsUInt32());
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], size);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], size);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[28..], (ushort)name.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[42..], header);
            directory.Write(entry);
            directory.Write(name);
            at = checked(at + 30 + (uint)name.Length + 4 + (uint)padding + size + 16);
            count++;
        }

        public void Dispose() => directory.Dispose();

        public void End()
        {
            stream.Write(directory.GetBuffer().AsSpan(0, (int)directory.Length));
            Span<byte> end = stackalloc byte[22];
            end.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
            BinaryPrimitives.WriteUInt16LittleEndian(end[8..], count);
            BinaryPrimitives.WriteUInt16LittleEndian(end[10..], count);
            BinaryPrimitives.WriteUInt32LittleEndian(end[12..], checked((uint)directory.Length));
            BinaryPrimitives.WriteUInt32LittleEndian(end[16..], at);
            stream.Write(end);
        }
    }
}
