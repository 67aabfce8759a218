using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>A formatter that a cell or a library has registered, kept from calling itself without end, which would end the process.</summary>
sealed class GuardedFormatter(ITypeFormatter formatter) : ITypeFormatter
{
    const int Deepest = 100;

    static readonly Lock Registration = new();

    [ThreadStatic]
    static int _depth;

    public string MimeType => formatter.MimeType;

    public Type Type => formatter.Type;

    /// <summary>Puts a guard before each formatter that was registered since the last call.</summary>
    public static void GuardAll()
    {
        lock (Registration)
        {
            foreach (var added in Formatter.RegisteredFormatters(includeDefaults: false).TakeWhile(f => f is not GuardedFormatter).Reverse().ToList())
            {
                Formatter.Register(new GuardedFormatter(added));
            }
        }
    }

    /// <exception cref="InvalidOperationException">It stands inside of itself too often.</exception>
    public bool Format(object instance, FormatContext context)
    {
        if (_depth == Deepest)
        {
            throw new InvalidOperationException($"The formatter of {TypeName.Of(Type)} for {MimeType} has called itself {Deepest} times, and would not end.");
        }

        _depth++;
        try
        {
            return formatter.Format(instance, context);
        }
        finally
        {
            _depth--;
        }
    }
}
