using System.Collections;
using System.Reflection;
using RawPush.Fanout.Channels;

namespace RawPush.Fanout.Tests.Channels;

/// <summary>Looks into the nodes of a tree, for what it does not say itself.</summary>
internal sealed class SubjectTreeNodes(SubjectTree<string> tree)
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic;

    /// <summary>The root has no branches.</summary>
    public bool IsEmpty => ChildrenOf(Root(tree)) is null;

    private static object Root(SubjectTree<string> tree) => tree.GetType().GetField("_root", Fields)!.GetValue(tree)!;

    private static IDictionary? ChildrenOf(object node) => (IDictionary?)node.GetType().GetField("_children", Fields)!.GetValue(node);
}
