using System.CommandLine;
using RawPush.Swarm.Bare;
using RawPush.Swarm.Bus;
using RawPush.Swarm.Cluster;
using RawPush.Swarm.Comparing;
using RawPush.Swarm.Running;

var port = new Option<int>("--port") { Description = "Where to listen.", Required = true };
var lie = new Option<string?>("--lie") { Description = "Drop or repeat a message now and then: drop, repeat." };
lie.AcceptOnlyFromAmong("drop", "repeat");
var bare = new Command("bare", "A server that does the least: the ceiling for others, and a liar for truth mode to find.") { port, lie };
bare.SetAction(result => new BareServer(result.GetValue(port), result.GetValue(lie)).Run());

var worker = new Command("worker", "A part of the clients; started by run.") { Hidden = true };
worker.SetAction(_ => WorkerMain.Run());

return await new RootCommand("A swarm of clients for push servers: connections, fan-out, latency and truth.") { RunCommand.Create(), ClusterCommand.Create(), BusCommands.CreateBus(), BusCommands.CreateInterest(), BusCommands.CreateForward(), CompareCommand.Create(), TotalCommand.Create(), bare, worker }.Parse(args).InvokeAsync();
