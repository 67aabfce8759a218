using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>A tensor in at most eight lines: shape, type, device, and the first values.</summary>
static class TensorText
{
    const int Rows = 6;
    const int Columns = 8;

    /// <summary>Shape, type and device alone.</summary>
    public static string Kind(Tensor tensor)
    {
        if (tensor.IsInvalid)
            return "a disposed tensor";
        var type = tensor.dtype == ScalarType.Byte ? "uint8" : tensor.dtype.ToString().ToLowerInvariant();
        return $"{Shape.Of(tensor)} {type} {tensor.device}";
    }

    public static string Of(Tensor tensor)
    {
        var text = new StringBuilder(Kind(tensor));
        if (tensor.IsInvalid || tensor.numel() == 0 || tensor.is_sparse || tensor.is_complex() || tensor.device.type == TorchSharp.DeviceType.META)
            return text.ToString();

        using var scope = NewDisposeScope();
        var matrix = tensor.detach();
        while (matrix.dim() > 2)
            matrix = matrix[0];
        matrix = matrix.dim() == 2 ? matrix : matrix.reshape(1, -1);
        var (height, width) = matrix.shape is [var h, var w] ? (h, w) : default;
        var (rows, columns) = ((int)Math.Min(height, Rows), (int)Math.Min(width, Columns));
        var cells = Cells(matrix.narrow(0, 0, rows).narrow(1, 0, columns).cpu());

        if (tensor.dim() > 2)
            text.Append(CultureInfo.InvariantCulture, $", at [{string.Concat(Enumerable.Repeat("0, ", (int)tensor.dim() - 2))}:, :]");
        var longest = cells.Max(cell => cell.Length);
        for (var i = 0; i < rows; i++)
            text.Append('\n').AppendJoin("  ", cells.Skip(i * columns).Take(columns).Select(cell => cell.PadLeft(longest))).Append(columns < width ? "  …" : "");
        return text.Append(rows < height ? "\n…" : "").ToString();
    }

    static string[] Cells(Tensor values)
    {
        if (values.dtype == ScalarType.Bool)
            return [.. values.data<bool>().Select(value => value ? "true" : "false")];
        if (!values.is_floating_point())
            return [.. values.to(ScalarType.Int64).contiguous().data<long>().Select(value => value.ToString(CultureInfo.InvariantCulture))];

        var numbers = values.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        var largest = numbers.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        // Four decimals, unless they would say nothing or run on.
        var format = largest is > 0 and < 1e-2 or >= 1e5 ? "0.000e+00" : "0.0000";
        return [.. numbers.Select(number => number.ToString(format, CultureInfo.InvariantCulture))];
    }
}
