using System.Text.Json;
using System.Text.Json.Serialization;
using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Which of this library's models it is: one of these is set.</summary>
sealed record ModelDescription
{
    static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter() },
    };

    public VisionTransformerConfig? VisionTransformer { get; init; }
    public SwinTransformerConfig? SwinTransformer { get; init; }
    public HybridVisionTransformerConfig? HybridVisionTransformer { get; init; }
    public ConvNetConfig? ConvNet { get; init; }
    public VideoTransformerConfig? VideoTransformer { get; init; }

    /// <summary>A model's description, as JSON; null where the model is none of this library's.</summary>
    public static string? Of(nn.Module model)
    {
        ModelDescription? description = model switch
        {
            VisionTransformer vit => new() { VisionTransformer = vit.Config },
            SwinTransformer swin => new() { SwinTransformer = swin.Config },
            HybridVisionTransformer hybrid => new() { HybridVisionTransformer = hybrid.Config },
            ConvNet convNet => new() { ConvNet = convNet.Config },
            VideoTransformer video => new() { VideoTransformer = video.Config },
            _ => null,
        };
        return description is null ? null : JsonSerializer.Serialize(description, Json);
    }

    /// <summary>Makes a model of a description, whose weights are to be filled.</summary>
    /// <param name="json">What <see cref="Of"/> made.</param>
    /// <param name="weights">How many weights there are to fill it with: no number of it can be larger.</param>
    /// <exception cref="JsonException">It is no description.</exception>
    /// <exception cref="InvalidDataException">It describes no model, or a larger one.</exception>
    public static nn.Module<Tensor, Tensor> Create(string json, long weights)
    {
        using (var document = JsonDocument.Parse(json))
            if (Largest(document.RootElement) > weights)
                throw new InvalidDataException($"found a model with more than the {weights} weights that are there.");
        var it = JsonSerializer.Deserialize<ModelDescription>(json, Json);
        try
        {
            return Initialization.Skipped<nn.Module<Tensor, Tensor>>(() =>
                it?.VisionTransformer is { } vit ? new VisionTransformer(vit)
                : it?.SwinTransformer is { } swin ? new SwinTransformer(swin)
                : it?.HybridVisionTransformer is { } hybrid ? new HybridVisionTransformer(hybrid)
                : it?.ConvNet is { } convNet ? new ConvNet(convNet)
                : it?.VideoTransformer is { } video ? new VideoTransformer(video)
                : throw new InvalidDataException($"found {json}, expected one of this library's models."));
        }
        catch (Exception exception) when (exception is ArgumentException or System.Runtime.InteropServices.ExternalException or OverflowException)
        {
            throw new InvalidDataException($"found a model that cannot be: {exception.Message}", exception);
        }
    }

    static double Largest(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.Object => element.EnumerateObject().Select(property => Largest(property.Value)).Append(0).Max(),
        JsonValueKind.Array => element.EnumerateArray().Select(Largest).Append(0).Max(),
        _ => 0,
    };
}
