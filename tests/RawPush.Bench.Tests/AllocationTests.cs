using System.Linq.Expressions;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using RawPush.Benchmarks;

namespace RawPush.Bench.Tests;

/// <summary>Every benchmark keeps its budget of allocated bytes, with each value of its parameters. Sizes only: no clock is read.</summary>
public sealed class AllocationTests
{
    private const int Operations = 1000;

    public static TheoryData<string> Benchmarks =>
        new(typeof(RequestHeadParserBenchmarks).Assembly.GetTypes().SelectMany(MethodsOf).Select(NameOf));

    [Theory]
    [MemberData(nameof(Benchmarks))]
    public void A_benchmark_keeps_its_budget(string name)
    {
        Assert.True(Budgets.All.ContainsKey(name), $"bench/budgets.json has no budget for {name}.");
        var method = typeof(RequestHeadParserBenchmarks).Assembly.GetTypes().SelectMany(MethodsOf).Single(method => NameOf(method) == name);

        Assert.All(InstancesOf(method.DeclaringType!), instance => Assert.Equal(Budgets.All[name], AllocatedPerOperation(instance, method)));
    }

    [Fact]
    public void Every_budget_belongs_to_something_that_is_measured() =>
        Assert.Empty(Budgets.All.Keys.Except(Benchmarks.Select(row => row.Data)).Except(IdleConnectionTests.Names));

    private static IEnumerable<MethodInfo> MethodsOf(Type type) => type.GetMethods().Where(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null);

    private static string NameOf(MethodInfo method) => $"{method.DeclaringType!.Name}.{method.Name}";

    private static IEnumerable<object> InstancesOf(Type type)
    {
        var parameter = type.GetProperties().SingleOrDefault(property => property.GetCustomAttribute<ParamsAttribute>() is not null);
        object?[] values = parameter?.GetCustomAttribute<ParamsAttribute>()!.Values ?? [null];
        foreach (object? value in values)
        {
            object instance = Activator.CreateInstance(type)!;
            parameter?.SetValue(instance, value);
            type.GetMethods().SingleOrDefault(method => method.GetCustomAttribute<GlobalSetupAttribute>() is not null)?.Invoke(instance, null);
            yield return instance;
        }
    }

    private static long AllocatedPerOperation(object instance, MethodInfo method)
    {
        var call = Expression.Call(Expression.Constant(instance), method);
        var operation = Expression.Lambda<Action>(Expression.Block(typeof(void), call)).Compile();
        Repeat(operation);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(operation);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Operations;
    }

    private static void Repeat(Action operation)
    {
        for (int i = 0; i < Operations; i++)
        {
            operation();
        }
    }
}
