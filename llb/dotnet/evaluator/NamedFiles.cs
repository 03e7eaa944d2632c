using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds files that the compiler reads because another file names them. The compiler does not fail if such a file is
/// missing: it ignores a rule set that another one includes, and a generator can go on without its data.
/// </summary>
sealed class NamedFiles
{
    // Code that reads files, or runs a program. If it only looks like that, the project gets more than it needs.
    static readonly Regex Reading = new(
        @"\b(File|Directory|Process|XmlReader|ZipFile|TarFile)\s*\.|\bAssembly\s*\.\s*Load|" +
        @"\b(XDocument|XElement)\s*\.\s*Load|\b(ReadXml|CreateFromFile|LoadFrom|LoadFile)\b|" +
        @"\b(FileInfo|DirectoryInfo|FileStream|StreamReader|MemoryMappedFile)\b|System\.IO\.(File|Dir)|" +
        @"\b(XmlDocument|XmlTextReader|XPathDocument|XmlSchemaSet|XslCompiledTransform|GetAssemblyName)\b");

    static readonly HashSet<string> ReadingTypes = new()
    {
        "File", "Directory", "FileInfo", "DirectoryInfo", "FileStream", "StreamReader", "MemoryMappedFile", "Process",
        "XmlTextReader", "XmlDocument", "XPathDocument", "XmlSchemaSet", "XslCompiledTransform", "ZipFile", "TarFile",
    };

    // Methods of other types that read a file by its name. Some also read a text that is there already.
    static readonly HashSet<string> ReadingMethods = new()
    {
        "XDocument.Load", "XElement.Load", "XmlReader.Create", "DataSet.ReadXml", "Assembly.Load", "Assembly.LoadFrom",
        "Assembly.LoadFile", "AssemblyName.GetAssemblyName",
    };

    static readonly HashSet<string> Namespaces = new()
    {
        "System.IO", "System.IO.MemoryMappedFiles", "System.IO.Compression", "System.Formats.Tar", "System.Diagnostics",
        "System.Xml", "System.Xml.XPath", "System.Xml.Schema", "System.Xml.Xsl",
    };

    const int MostAdditional = 100, Largest = 1 << 20;

    // Additional files for analyzers of the SDK, and for other common ones. They name no files.
    static readonly Regex Settings = new(@"^(stylecop\.json|(BannedSymbols|PublicAPI|CodeMetricsConfig)\b.*\.txt)$",
        RegexOptions.IgnoreCase);

    // What may be a path.
    static readonly Regex Word = new(@"[\w.~-]*[./\\][\w./\\~-]+");

    readonly Tree tree;
    readonly Trap trap;

    public NamedFiles(Tree tree, Trap trap)
    {
        this.tree = tree;
        this.trap = trap;
    }

    /// <summary>
    /// Adds the files that rule sets and additional files of a project name, as an instance of it has them.
    /// </summary>
    public void Take(Project project, ProjectInstance instance)
    {
        RuleSets(project, instance);
        Additional(project, instance.GetItems("AdditionalFiles"));
    }

    // The rule sets that the project's own rule set includes.
    void RuleSets(Project project, ProjectInstance instance)
    {
        var found = new Queue<string>();
        var seen = new HashSet<string>();
        void Add(string folder, string name)
        {
            if (project.Reads.Find(folder, name) is { } path && !path.EndsWith('/') && seen.Add(path))
                found.Enqueue(path);
        }
        var name = instance.GetPropertyValue("CodeAnalysisRuleSet");
        Add(project.Folder, name);
        foreach (var folder in Project.List(instance.GetPropertyValue("CodeAnalysisRuleSetDirectories")))
            // ResolveCodeAnalysisRuleSet
            Add(Path.Combine(project.Folder, folder.Replace('\\', '/')), name);
        while (found.TryDequeue(out var path))
        {
            project.Reads.File(path, Phase.Build, "rule set");
            foreach (var include in Included(Content(project, path))) Add(Path.GetDirectoryName(path), include);
        }
    }

    static IEnumerable<string> Included(byte[] ruleSet)
    {
        if (ruleSet == null) return Array.Empty<string>();
        try
        {
            return XDocument.Load(new MemoryStream(ruleSet)).Descendants("Include")
                .Select(i => (string)i.Attribute("Path") ?? "").ToList();
        }
        catch (XmlException)
        {
            return Array.Empty<string>(); // the compiler says so, or the contents are not known yet
        }
    }

    /// <summary>Takes more for a project if a generator or an analyzer of the repository can read files.</summary>
    public void Generators(Project project)
    {
        var reading = project.Generators.Where(g => Reach(g).Any(ReadsFiles)).ToList();
        foreach (var generator in reading) Everything(project, generator.Path);
        if (reading.Count < project.Generators.Count) BesideAdditional(project);
        foreach (var analyzer in project.Items("Analyzer").Select(i => i.GetMetadataValue("FullPath")))
            if (!tree.HasFile(analyzer))
            {
                // One that the build makes.
                var made = Reach(project).Where(p => p.Path != project.Path && analyzer.StartsWith(p.Folder + "/"));
                foreach (var generator in made.Where(ReadsFiles)) Everything(project, generator.Path);
            }
            else if (ReadsFiles(Content(project, analyzer))) Everything(project, analyzer);
    }

    // The files that additional files name: a description of an API can name others, for example. A generator may read
    // them, also one of a package.
    void Additional(Project project, IEnumerable<ProjectItemInstance> items)
    {
        foreach (var file in Files(items).Where(f => !Settings.IsMatch(Path.GetFileName(f))).Take(MostAdditional))
            In(project, file);
    }

    IEnumerable<string> Files(IEnumerable<ProjectItemInstance> items) =>
        items.Select(i => i.GetMetadataValue("FullPath")).Distinct().Where(tree.HasFile);

    /// <summary>Adds what a file names: paths from its folder, or from that of the project.</summary>
    public void In(Project project, string file)
    {
        if (Content(project, file) is not { Length: < Largest } bytes) return;
        foreach (Match word in Word.Matches(Encoding.UTF8.GetString(bytes)))
            foreach (var folder in new[] { Path.GetDirectoryName(file), project.Folder })
                if (project.Reads.Find(folder, word.Value) is { } path && !path.EndsWith('/'))
                    project.Reads.File(path, Phase.Build, "named by " + Path.GetFileName(file));
    }

    // A generator knows the paths of additional files. It may read more there, by a library that we do not know.
    void BesideAdditional(Project project)
    {
        var outside = Files(project.Items("AdditionalFiles")).Where(f => !f.StartsWith(project.Folder + "/"));
        foreach (var folder in outside.Select(Path.GetDirectoryName).Distinct())
            foreach (var file in Directory.EnumerateFiles(folder))
                project.Reads.File(file, Phase.Build, "beside a file for a generator");
    }

    void Everything(Project project, string generator) => project.Reads.Everything(
        Phase.Build, "generator " + Path.GetRelativePath(tree.Root, generator) + " reads files");

    static HashSet<Project> Reach(Project project)
    {
        var reach = new HashSet<Project>();
        void Add(Project p)
        {
            if (!reach.Add(p)) return;
            foreach (var reference in p.References) Add(reference);
        }
        Add(project);
        return reach;
    }

    bool ReadsFiles(Project generator) => generator.Items("Compile").Select(i => i.GetMetadataValue("FullPath"))
        .Where(tree.HasFile).Select(f => Content(generator, f)).ToList() // all, so that all are asked for at once
        .Any(bytes => bytes != null && Reading.IsMatch(new StreamReader(new MemoryStream(bytes)).ReadToEnd()));

    static bool ReadsFiles(byte[] assembly)
    {
        if (assembly == null) return false;
        try
        {
            using var file = new PEReader(new MemoryStream(assembly));
            if (!file.HasMetadata) return false;
            var metadata = file.GetMetadataReader();
            return metadata.TypeReferences.Select(metadata.GetTypeReference).Any(t =>
                ReadingTypes.Contains(metadata.GetString(t.Name)) &&
                Namespaces.Contains(metadata.GetString(t.Namespace))) ||
                metadata.MemberReferences.Select(metadata.GetMemberReference).Any(m =>
                m.Parent.Kind == HandleKind.TypeReference && ReadingMethods.Contains(metadata.GetString(
                metadata.GetTypeReference((TypeReferenceHandle)m.Parent).Name) + "." + metadata.GetString(m.Name)));
        }
        catch (BadImageFormatException)
        {
            return false; // the compiler says so, or the contents are not known yet
        }
    }

    // Null where the contents are not known: they are asked for, and all is evaluated again.
    byte[] Content(Project reader, string path)
    {
        using var _ = trap.Read(reader, Phase.Build);
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
