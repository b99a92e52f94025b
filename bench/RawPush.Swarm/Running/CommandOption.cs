using System.CommandLine;

namespace RawPush.Swarm.Running;

/// <summary>How options of all commands are made.</summary>
internal static class CommandOption
{
    public static Option<T> New<T>(string name, string description, T value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    /// <summary>Refuses values that are not fine, with the option's name and what it may be.</summary>
    public static void Limit<T>(Option<T> option, Func<T, bool> isFine, string what) => option.Validators.Add(result =>
    {
        if (!isFine(result.GetValueOrDefault<T>()!))
        {
            result.AddError($"{option.Name} {what}");
        }
    });
}
