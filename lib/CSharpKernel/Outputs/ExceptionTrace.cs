using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using CSharpKernel.Cells;

namespace CSharpKernel.Outputs;

/// <summary>Exceptions as a reader of the notebook needs them: lines of cells, without the compiler's and the kernel's machinery.</summary>
static partial class ExceptionTrace
{
    /// <summary>How many lines of a trace are shown at its beginning, and at its end.</summary>
    const int First = 30;
    const int Last = 20;

    /// <summary>Turns an exception that left a cell into the cell's error.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="cell">The cell's name; the error's line is the line of this cell.</param>
    public static Output.Error ToError(Exception exception, string cell)
    {
        // What wraps a single other exception tells nothing of its own.
        while (exception is AggregateException { InnerExceptions.Count: 1 } or TargetInvocationException { InnerException: not null })
        {
            exception = exception.InnerException!;
        }

        if (exception is CellException known)
        {
            var place = known.Name == "CompilationError" || known.Line is null ? "" : $"{known.File} (line {known.Line}): ";
            return new(known.Name, known.Message, [.. (place + known.Message).Split('\n')], known.File == cell ? known.Line : null);
        }

        var lines = new List<string>();
        var line = Describe(exception, "", cell, lines);
        return new(NameOf(exception.GetType()), MessageOf(exception), lines, line);
    }

    static int? Describe(Exception exception, string prefix, string cell, List<string> lines)
    {
        lines.AddRange($"{prefix}{NameOf(exception.GetType())}: {MessageOf(exception)}".ReplaceLineEndings("\n").Split('\n'));
        int? cellLine = null;
        var shown = new List<string>();
        var lastOfCell = 0;
        foreach (var frame in new StackTrace(exception, fNeedFileInfo: true).GetFrames())
        {
            if (frame.GetMethod() is not { DeclaringType: { } type } method)
            {
                continue;
            }

            var inCell = AssemblyLoadContext.GetLoadContext(type.Assembly) is NotebookLoadContext && type.Assembly.Location.Length == 0;
            if (inCell && frame.GetFileLineNumber() is > 0 and var number)
            {
                var file = Path.GetFileName(frame.GetFileName());
                cellLine ??= file == cell ? number : null;
                var name = MemberName(method);
                shown.Add($"   at {(name is null ? "" : name + " in ")}{file}, line {number}");
                lastOfCell = shown.Count;
            }
            else if (!inCell && !Machinery(type))
            {
                shown.Add($"   at {type.FullName?.Replace('+', '.')}.{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name))})");
            }
        }

        // Below the outermost line of a cell stands only what called it.
        shown = lastOfCell > 0 ? shown[..lastOfCell] : shown;
        lines.AddRange(shown.Count <= First + Last ? shown : [.. shown[..First], $"   … ({shown.Count - First - Last} more)", .. shown[^Last..]]);
        if (exception.InnerException is { } inner)
        {
            var innerLine = Describe(inner, " ---> ", cell, lines);
            cellLine ??= innerLine;
        }

        return cellLine;
    }

    /// <summary>A type's name, as it was written where a cell declares it.</summary>
    static string NameOf(Type type) => MimeBundle.CellType().Replace(type.FullName!, "");

    /// <summary>Its message; a cell's own exceptions may throw instead of giving one.</summary>
    public static string MessageOf(Exception exception)
    {
        try
        {
            return exception.Message ?? "";
        }
        catch (Exception e)
        {
            return $"its message cannot be read ({e.GetType().Name})";
        }
    }

    static bool Machinery(Type type) =>
        type.Assembly == typeof(CSharpEngine).Assembly
        || type.Namespace is "System.Runtime.CompilerServices" or "System.Runtime.ExceptionServices";

    /// <summary>The name as written in the cell; null for the cell's own statements.</summary>
    static string? MemberName(MethodBase method)
    {
        var type = method.DeclaringType!;
        var name = method.Name;
        if (name == "MoveNext" && type.DeclaringType is { } outer && StateMachine().Match(type.Name) is { Success: true } machine)
        {
            name = machine.Groups["name"].Value;
            type = outer;
        }

        if (name.Contains("<Initialize>", StringComparison.Ordinal) && !name.Contains("__", StringComparison.Ordinal) || name is "<Factory>")
        {
            return null;
        }

        if (Local().Match(name) is { Success: true } local)
        {
            return local.Groups["local"].Value is { Length: > 0 } function ? function : "a lambda";
        }

        var typeName = type.Name.StartsWith("Submission#", StringComparison.Ordinal) || type.Name.StartsWith('<') ? "" : type.Name + ".";
        return name == ".ctor" ? $"new {type.Name}" : typeName + name;
    }

    [GeneratedRegex(@"^<(?<name>.+)>d(__\d+)?$")]
    private static partial Regex StateMachine();

    [GeneratedRegex(@"^<.*>(b__|g__(?<local>[^|]+))")]
    private static partial Regex Local();
}
