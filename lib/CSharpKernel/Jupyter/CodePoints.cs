namespace CSharpKernel.Jupyter;

/// <summary>Places in a text: Jupyter counts Unicode code points, .NET counts UTF-16 units.</summary>
static class CodePoints
{
    /// <summary>Where a code point begins in UTF-16 units; places outside the text count as its nearest end.</summary>
    public static int ToUtf16(string text, int codePoints)
    {
        var index = 0;
        for (; codePoints > 0 && index < text.Length; codePoints--)
        {
            index += char.IsSurrogatePair(text, index) ? 2 : 1;
        }

        return index;
    }

    /// <summary>How many code points begin before a place in UTF-16 units.</summary>
    public static int FromUtf16(string text, int index)
    {
        var codePoints = 0;
        for (var i = 0; i < index; i += char.IsSurrogatePair(text, i) ? 2 : 1)
        {
            codePoints++;
        }

        return codePoints;
    }
}
