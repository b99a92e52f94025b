using RawPush.Protocol.Http;

namespace RawPush.Protocol.Tests.Http;

public sealed class HeadFaultTests
{
    [Fact]
    public void Every_fault_has_a_status_code_and_one_line_of_its_own()
    {
        HeadRefusal[] refusals = [.. Enum.GetValues<HeadFault>().Where(fault => fault != HeadFault.None).Select(fault => fault.ToRefusal())];

        Assert.All(refusals, refusal => Assert.Contains(refusal.StatusCode, new[] { 400, 414, 431, 505 }));
        Assert.All(refusals, refusal => Assert.Matches("^[ -~]+$", refusal.Reason));
        Assert.Equal(refusals.Length, refusals.Select(refusal => refusal.Reason).Distinct().Count());
    }
}
