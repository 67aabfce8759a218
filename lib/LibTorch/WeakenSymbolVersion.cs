using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies an ELF library with one required symbol version marked as weak, so that the dynamic linker no longer
/// refuses to load it where that version is missing. Compiled by the build itself (RoslynCodeTaskFactory), so it
/// keeps to netstandard2.0. The layout is that of Elf64_Verneed and Elf64_Vernaux (Linux Standard Base, "Symbol
/// Versioning").
/// </summary>
public class WeakenSymbolVersion : Task
{
    const int GnuVersionRequirements = 0x6ffffffe; // SHT_GNU_verneed
    const byte WeakFlag = 2;                       // VER_FLG_WEAK

    [Required] public string Source { get; set; }
    [Required] public string Destination { get; set; }
    [Required] public string Version { get; set; }

    public override bool Execute()
    {
        var library = File.ReadAllBytes(Source);
        try
        {
            Log.LogMessage(MessageImportance.Normal, "{0}: {1} {2}", Path.GetFileName(Source), Version,
                Weaken(library) ? "is now a weak requirement" : "is not required, nothing to change");
        }
        catch (Exception e) when (e is IndexOutOfRangeException || e is ArgumentException)
        {
            Log.LogError("{0} is not an ELF library that can be read: {1}", Source, e.Message);
            return false;
        }

        // A new file in place of the old one: the old one may share its content with the package cache.
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        var unfinished = Destination + ".unfinished";
        File.WriteAllBytes(unfinished, library);
        File.Delete(Destination);
        File.Move(unfinished, Destination);
        return true;
    }

    bool Weaken(byte[] elf)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[2] != 'L' || elf[3] != 'F')
            throw new ArgumentException("it does not start with the ELF magic number");
        if (elf[4] != 2 || elf[5] != 1)
            throw new ArgumentException("it is not a 64-bit little-endian file");

        int headers = checked((int)BitConverter.ToInt64(elf, 40));
        int headerSize = BitConverter.ToUInt16(elf, 58), count = BitConverter.ToUInt16(elf, 60);
        for (int i = 0; i < count; i++)
        {
            int header = headers + i * headerSize;
            if (BitConverter.ToInt32(elf, header + 4) != GnuVersionRequirements)
                continue;
            int strings = SectionOffset(elf, headers + headerSize * BitConverter.ToInt32(elf, header + 40));
            return WeakenIn(elf, SectionOffset(elf, header), strings);
        }
        return false;
    }

    bool WeakenIn(byte[] elf, int need, int strings)
    {
        while (true)
        {
            int entry = need + BitConverter.ToInt32(elf, need + 8);
            for (int left = BitConverter.ToUInt16(elf, need + 2); left > 0; left--)
            {
                if (Text(elf, strings + BitConverter.ToInt32(elf, entry + 8)) == Version)
                {
                    elf[entry + 4] |= WeakFlag;
                    return true;
                }
                entry += BitConverter.ToInt32(elf, entry + 12);
            }
            int next = BitConverter.ToInt32(elf, need + 12);
            if (next == 0)
                return false;
            need += next;
        }
    }

    static int SectionOffset(byte[] elf, int header)
    {
        return checked((int)BitConverter.ToInt64(elf, header + 24));
    }

    static string Text(byte[] elf, int start)
    {
        return Encoding.ASCII.GetString(elf, start, Array.IndexOf(elf, (byte)0, start) - start);
    }
}
