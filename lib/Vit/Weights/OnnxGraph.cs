using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>A graph of ONNX operators under construction (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).</summary>
sealed class OnnxGraph
{
    /// <summary>The first with LayerNormalization.</summary>
    public const int Opset = 17;

    // The one that came with that opset.
    const int IrVersion = 8;
    const int FloatType = 1, Int64Type = 7;
    const int FloatAttribute = 1, IntAttribute = 2, IntsAttribute = 7;

    readonly OnnxMessage graph = new();
    readonly HashSet<string> weights = [];
    int nodes;

    public OnnxGraph(string name) => graph.Add(2, name);

    /// <summary>Adds an operator and gives the name of its output.</summary>
    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes)
    {
        var output = $"{type}_{nodes++}";
        var node = new OnnxMessage();
        foreach (var input in inputs)
            node.Add(1, input);
        node.Add(2, output).Add(3, output).Add(4, type);
        foreach (var (name, value) in attributes)
            node.Add(5, Attribute(name, value));
        graph.Add(1, node);
        return output;
    }

    /// <summary>Adds a tensor of float32, or of int64 where it is one, and gives its name.</summary>
    public string Weight(string name, Tensor value)
    {
        if (!weights.Add(name))
            return name;
        var (elements, type) = value.dtype == ScalarType.Int64 ? (value, Int64Type) : (value.to(ScalarType.Float32), FloatType);
        var tensor = new OnnxMessage();
        foreach (var size in value.shape)
            tensor.Add(1, size);
        graph.Add(5, tensor.Add(2, type).Add(8, name).AddElements(9, elements));
        return name;
    }

    /// <summary>A vector of whole numbers, for shapes and indices.</summary>
    public string Numbers(params long[] values) => Weight($"[{string.Join(",", values)}]", tensor(values));

    /// <summary>One whole number; as an index, it drops the dimension.</summary>
    public string Number(long value) => Weight($"{value}", tensor(value));

    /// <summary>One float.</summary>
    public string Scalar(double value) => Weight(FormattableString.Invariant($"{value:R}f"), tensor((float)value));

    /// <summary>An input of float32; a size that is a name may differ from run to run.</summary>
    public string Input(string name, params object[] shape)
    {
        graph.Add(11, Value(name, shape));
        return name;
    }

    public void Output(string name, string node, params object[] shape)
    {
        graph.Add(1, new OnnxMessage().Add(1, node).Add(2, name).Add(3, name).Add(4, "Identity"));
        graph.Add(12, Value(name, shape));
    }

    /// <exception cref="ArgumentException">The model has 2 GB or more, which a protobuf file cannot hold.</exception>
    public void Save(string path, IReadOnlyDictionary<string, string> metadata)
    {
        var model = new OnnxMessage()
            .Add(1, IrVersion)
            .Add(2, "vit-notebooks")
            .Add(7, graph)
            .Add(8, new OnnxMessage().Add(1, "").Add(2, Opset));
        foreach (var (key, value) in metadata)
            model.Add(14, new OnnxMessage().Add(1, key).Add(2, value));
        if (model.Length > int.MaxValue)
            throw new ArgumentException($"The model takes {model.Length} bytes, and an ONNX file in one piece holds less than 2 GB.", nameof(path));
        WholeFile.Write(path, model.WriteTo);
    }

    static OnnxMessage Attribute(string name, object value)
    {
        var attribute = new OnnxMessage().Add(1, name);
        switch (value)
        {
            case double number:
                return attribute.Add(2, (float)number).Add(20, FloatAttribute);
            case int number:
                return attribute.Add(3, number).Add(20, IntAttribute);
            case int[] numbers:
                foreach (var number in numbers)
                    attribute.Add(8, number);
                return attribute.Add(20, IntsAttribute);
            default:
                throw new ArgumentException($"No attribute is a {value.GetType()}.", nameof(value));
        }
    }

    static OnnxMessage Value(string name, object[] sizes)
    {
        var shape = new OnnxMessage();
        foreach (var size in sizes)
            shape.Add(1, size is string variable ? new OnnxMessage().Add(2, variable) : new OnnxMessage().Add(1, (int)size));
        return new OnnxMessage().Add(1, name).Add(2, new OnnxMessage().Add(1, new OnnxMessage().Add(1, FloatType).Add(2, shape)));
    }
}
