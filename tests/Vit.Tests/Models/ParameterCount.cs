using static TorchSharp.torch;

namespace Vit.Tests.Models;

static class ParameterCount
{
    /// <summary>On the meta device: shapes without memory, so that even H/14 is counted at once.</summary>
    public static long Of(Func<nn.Module> create)
    {
        using var scope = NewDisposeScope();
        set_default_device(device("meta"));
        try
        {
            using var model = create();
            return model.parameters().Sum(parameter => parameter.numel());
        }
        finally
        {
            set_default_device(CPU);
        }
    }
}
