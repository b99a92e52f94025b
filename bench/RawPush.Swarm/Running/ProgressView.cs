using Spectre.Console;

namespace RawPush.Swarm.Running;

/// <summary>Where a run shows how far it is.</summary>
internal interface IProgressView
{
    void Phase(string name);

    void Update(long done, long goal);
}

/// <summary>A line per phase, for logs and pipes.</summary>
internal sealed class PlainProgress : IProgressView
{
    public void Phase(string name) => Console.Error.WriteLine(name);

    public void Update(long done, long goal)
    {
    }
}

/// <summary>A bar per phase, on a terminal.</summary>
internal sealed class LiveProgress(ProgressContext context) : IProgressView
{
    private ProgressTask? _task;

    public void Phase(string name)
    {
        if (_task is not null)
        {
            _task.IsIndeterminate = false;
            _task.Value = _task.MaxValue;
            _task.StopTask();
        }

        _task = context.AddTask(name);
        _task.IsIndeterminate = true;
    }

    public void Update(long done, long goal)
    {
        if (_task is not null)
        {
            _task.IsIndeterminate = false;
            _task.MaxValue = goal;
            _task.Value = done;
        }
    }
}

/// <summary>Chooses between the two.</summary>
internal static class ProgressViews
{
    public static async Task<T> ShowAsync<T>(Func<IProgressView, Task<T>> run)
        where T : class
    {
        if (!AnsiConsole.Profile.Out.IsTerminal)
        {
            return await run(new PlainProgress());
        }

        T? result = null;
        await AnsiConsole.Progress().StartAsync(async context => result = await run(new LiveProgress(context)));
        return result!;
    }
}
