using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Dino.Model.Onnx;

/// <summary>
/// A protocol-buffer message as numbered fields. Enough for ONNX (onnx.proto3), whose messages are few; values of tensors go to the file
/// from where
/// they are.
/// </summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, object Value)> fields = [];
    private int length = -1;

    /// <summary>Adds a whole number, a float, a text, an array of floats as raw bytes, or a message.</summary>
    public ProtoMessage Add(int field, object value)
    {
        fields.Add((field, value));
        length = -1;
        return this;
    }

    /// <summary>Adds one field for each value.</summary>
    public ProtoMessage AddAll<T>(int field, IEnumerable<T> values) where T : notnull
    {
        foreach (var value in values)
            Add(field, value);
        return this;
    }

    /// <summary>The encoded bytes.</summary>
    /// <exception cref="OverflowException">There are more than the 2 GiB that a message may have.</exception>
    public int Length
    {
        get
        {
            if (length < 0)
            {
                long sum = 0;
                foreach (var (number, value) in fields)
                    sum += CodedOutputStream.ComputeTagSize(number) + (value switch
                    {
                        long whole => CodedOutputStream.ComputeInt64Size(whole),
                        float real => CodedOutputStream.ComputeFloatSize(real),
                        string text => CodedOutputStream.ComputeStringSize(text),
                        float[] values => Prefixed(4L * values.Length),
                        ProtoMessage message => Prefixed(message.Length),
                        _ => throw new InvalidOperationException($"A field cannot be a {value.GetType().Name}."),
                    });
                length = checked((int)sum);
            }
            return length;
        }
    }

    /// <summary>Writes the fields in the order in which they were added.</summary>
    public void WriteTo(Stream stream)
    {
        using var output = new CodedOutputStream(stream, leaveOpen: true);
        WriteTo(output, stream);
    }

    private static long Prefixed(long bytes) => bytes + CodedOutputStream.ComputeLengthSize(checked((int)bytes));

    private void WriteTo(CodedOutputStream output, Stream stream)
    {
        foreach (var (number, value) in fields)
            switch (value)
            {
                case long whole:
                    output.WriteTag(number, WireFormat.WireType.Varint);
                    output.WriteInt64(whole);
                    break;
                case float real:
                    output.WriteTag(number, WireFormat.WireType.Fixed32);
                    output.WriteFloat(real);
                    break;
                case string text:
                    output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                    output.WriteString(text);
                    break;
                case float[] values:
                    output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                    output.WriteLength(4 * values.Length);
                    output.Flush();
                    stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
                    break;
                case ProtoMessage message:
                    output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                    output.WriteLength(message.Length);
                    message.WriteTo(output, stream);
                    break;
            }
    }
}
