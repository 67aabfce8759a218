using Google.Protobuf;
using static Google.Protobuf.WireFormat;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>
/// A protobuf message, field by field, as onnx.proto numbers them. Tensors are kept as they are until the message is
/// written, so that an export needs no second copy of the weights.
/// </summary>
sealed class OnnxMessage
{
    // Bytes that are encoded already, or a tensor whose elements follow as they lie in memory.
    readonly List<object> parts = [];

    public long Length { get; private set; }

    public OnnxMessage Add(int field, long value) => Encode(stream =>
    {
        stream.WriteTag(field, WireType.Varint);
        stream.WriteInt64(value);
    });

    public OnnxMessage Add(int field, float value) => Encode(stream =>
    {
        stream.WriteTag(field, WireType.Fixed32);
        stream.WriteFloat(value);
    });

    public OnnxMessage Add(int field, string value) => Encode(stream =>
    {
        stream.WriteTag(field, WireType.LengthDelimited);
        stream.WriteString(value);
    });

    public OnnxMessage Add(int field, OnnxMessage value)
    {
        EncodeLength(field, value.Length);
        parts.AddRange(value.parts);
        Length += value.Length;
        return this;
    }

    /// <summary>A tensor's elements, little-endian.</summary>
    public OnnxMessage AddElements(int field, Tensor value)
    {
        var length = value.numel() * value.element_size();
        EncodeLength(field, length);
        parts.Add(value);
        Length += length;
        return this;
    }

    public void WriteTo(Stream stream)
    {
        foreach (var part in parts)
            if (part is Tensor tensor)
                SafeTensors.WriteData(stream, tensor);
            else
                stream.Write((byte[])part);
    }

    void EncodeLength(int field, long length) => Encode(stream =>
    {
        stream.WriteTag(field, WireType.LengthDelimited);
        stream.WriteUInt64((ulong)length);
    });

    OnnxMessage Encode(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var stream = new CodedOutputStream(buffer, leaveOpen: true))
            write(stream);
        parts.Add(buffer.ToArray());
        Length += buffer.Length;
        return this;
    }
}
