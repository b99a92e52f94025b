using System.Reflection;
using System.Xml.Linq;

namespace RawPush.Architecture.Tests;

/// <summary>Server → Fanout → Protocol, never upward; only Server names Kestrel, only the NATS broker names NATS.</summary>
public sealed class LayerTests
{
    [Theory]
    [InlineData("RawPush.Protocol", new string[0])]
    [InlineData("RawPush.Fanout", new[] { "RawPush.Protocol" })]
    [InlineData("RawPush.Server", new[] { "RawPush.Fanout" })]
    public void A_project_references_only_the_one_below_it(string project, string[] allowed)
    {
        var references = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

        Assert.Equal(allowed, references);
    }

    [Fact]
    public void Protocol_is_built_on_the_base_class_library_alone() =>
        Assert.All(ReferencesOf("RawPush.Protocol"), name => Assert.StartsWith("System.", name, StringComparison.Ordinal));

    [Fact]
    public void Fanout_is_built_on_the_base_class_library_protocol_and_NATS_alone() =>
        Assert.All(ReferencesOf("RawPush.Fanout"), name => Assert.True(
            name.StartsWith("System.", StringComparison.Ordinal) || name == "RawPush.Protocol" || name.StartsWith("NATS.", StringComparison.Ordinal)
            || name == "Microsoft.Extensions.Primitives", name));   // which the values of NATS's header fields are

    [Theory]
    [InlineData("src/RawPush.Protocol", "System.Net.Sockets")]
    [InlineData("src/RawPush.Protocol", "Microsoft.")]
    [InlineData("src/RawPush.Fanout", "System.Net.Sockets")]
    [InlineData("src/RawPush.Fanout", "Microsoft.AspNetCore")]
    [InlineData("src/RawPush.Server", "NATS.")]
    public void A_layer_does_not_name_what_is_not_its_business(string folder, string forbidden) =>
        Assert.All(Repository.SourceFiles(folder), file => Assert.DoesNotContain(UsingsOf(file), name => name.StartsWith(forbidden, StringComparison.Ordinal)));

    [Fact]
    public void Only_the_NATS_broker_names_NATS() =>
        Assert.All(
            Repository.SourceFiles("src/RawPush.Fanout").Where(file => !Repository.RelativePath(file).Contains("/Brokers/Nats/", StringComparison.Ordinal)),
            file => Assert.DoesNotContain(UsingsOf(file), name => name.StartsWith("NATS.", StringComparison.Ordinal)));

    [Fact]
    public void A_file_is_in_the_folder_of_its_namespace() => Assert.All(Repository.SourceFiles("src"), file =>
    {
        string? declared = File.ReadLines(file).Select(NamespaceOf).FirstOrDefault(name => name is not null);

        // Extension methods stand where embedders look for them, and top-level statements stand nowhere.
        if (declared is not null && !declared.StartsWith("Microsoft.", StringComparison.Ordinal))
        {
            string folder = Path.GetDirectoryName(Repository.RelativePath(file))!["src/".Length..];
            Assert.Equal(folder.Replace('/', '.'), declared);
        }
    });

    [Fact]
    public void The_top_level_holds_what_the_design_names()
    {
        string[] folders = ["bench", "docs", "samples", "src", "tests", "tuning"];

        var found = Directory.EnumerateDirectories(Repository.Root).Select(folder => Path.GetFileName(folder)).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal);

        Assert.Equal(folders, found);
    }

    private static IEnumerable<string> ReferencesOf(string assembly) =>
        Assembly.Load(assembly).GetReferencedAssemblies().Select(reference => reference.Name!);

    private static IEnumerable<string> UsingsOf(string file) =>
        File.ReadLines(file).Where(line => line.StartsWith("using ", StringComparison.Ordinal)).Select(line => line["using ".Length..].TrimEnd(';').Split("= ")[^1]);

    private static string? NamespaceOf(string line) =>
        line.StartsWith("namespace ", StringComparison.Ordinal) ? line["namespace ".Length..].TrimEnd(';') : null;
}
