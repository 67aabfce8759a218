using System;
using System.IO;
using System.Linq;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using Mono.Cecil;

/// <summary>
/// Copies .NET assemblies with the version changed that each asks for of one other assembly. Compiled by the build itself
/// (RoslynCodeTaskFactory), so it keeps to netstandard2.0.
/// </summary>
public class RebindReferences : Task
{
    /// <summary>The assemblies, with metadata: Reference, the other's name, and Version, the one to ask for.</summary>
    [Required] public ITaskItem[] Sources { get; set; }

    /// <summary>The copies, in the same order.</summary>
    [Required] public ITaskItem[] Destinations { get; set; }

    public override bool Execute()
    {
        for (int i = 0; i < Sources.Length; i++)
            Rebind(Sources[i].ItemSpec, Sources[i].GetMetadata("Reference"), Version.Parse(Sources[i].GetMetadata("Version")), Destinations[i].ItemSpec);
        return !Log.HasLoggedErrors;
    }

    void Rebind(string source, string name, Version version, string destination)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(destination));
        var unfinished = destination + ".unfinished";
        using (var module = ModuleDefinition.ReadModule(source))
        {
            var reference = module.AssemblyReferences.FirstOrDefault(r => r.Name == name);
            if (reference == null)
            {
                Log.LogError("{0} does not reference {1}, so the version that it asks for cannot be changed.", source, name);
                return;
            }

            Log.LogMessage(MessageImportance.Normal, "{0}: {1} {2} becomes {3}", Path.GetFileName(source), name, reference.Version, version);
            reference.Version = version;
            module.Write(unfinished);
        }

        // A new file in place of the old one: the old one may share its content with lib/bin.
        File.Delete(destination);
        File.Move(unfinished, destination);
    }
}
