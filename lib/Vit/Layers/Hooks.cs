using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Whether somebody listens to a module whose work is done without it.</summary>
static class Hooks
{
    /// <summary>Whether the module has a forward hook or pre-hook: then it has to be called itself.</summary>
    public static bool On(nn.Module<Tensor, Tensor> module) => Any(module);

    static bool Any<TBefore, TAfter>(nn.HookableModule<TBefore, TAfter> module) =>
        Of<TBefore, TAfter>.Before(module).Count + Of<TBefore, TAfter>.After(module).Count > 0;

    /// <summary>TorchSharp 0.107 keeps its hooks to itself.</summary>
    static class Of<TBefore, TAfter>
    {
        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "pre_hooks")]
        public static extern ref Dictionary<string, TBefore> Before(nn.HookableModule<TBefore, TAfter> module);

        [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "post_hooks")]
        public static extern ref Dictionary<string, TAfter> After(nn.HookableModule<TBefore, TAfter> module);
    }
}
