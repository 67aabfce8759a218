using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CSharpKernel.Cells;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class LifecycleTests
{
    [Theory]
    [InlineData("Control", false, "1")]
    [InlineData("Control", true, "while (true) { Console.Write('.'); }")]
    [InlineData("Shell", false, "1")]
    public void A_kernel_is_shut_down(string on, bool restart, string before)
    {
        using var kernel = new RunningKernel();
        var cell = kernel.Client.SendExecute(before);
        kernel.Client.PublishedUntil(m => m.ParentId == cell && m.Type is "stream" or "execute_result");
        var channel = Enum.Parse<Channel>(on);
        var id = kernel.Client.Send(channel, "shutdown_request", new() { ["restart"] = restart });
        Message reply;
        do
        {
            reply = kernel.Client.Receive(channel);
        }
        while (reply.ParentId != id);
        Assert.Equal(("shutdown_reply", "ok", restart), (reply.Type, reply.Text("status"), reply.Content["restart"]!.GetValue<bool>()));
        Assert.Contains("shutdown_reply", kernel.Client.Published(id).Select(m => m.Type));
        kernel.Process.WaitForExit();
        Assert.Equal(0, kernel.Process.ExitCode);
    }

    [Fact]
    public void A_kernel_ends_even_if_its_cell_does_not()
    {
        using var kernel = new RunningKernel();
        kernel.Client.SendExecute("try { } finally { Console.WriteLine(\"started\"); while (true) { } }");
        kernel.Client.PublishedUntil(m => m.Type == "stream");
        kernel.Client.Send(Channel.Control, "shutdown_request", new() { ["restart"] = false });
        kernel.Process.WaitForExit();
        Assert.Equal(0, kernel.Process.ExitCode);
    }

    [Fact]
    public void A_kernel_ends_with_the_server_that_has_started_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("On Windows Jupyter hands over a handle.");
        }

        using var server = Process.Start(new ProcessStartInfo(DotNet.Host, ["exec", typeof(CSharpEngine).Assembly.Location, "headless", Path.GetTempPath()]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var before = Environment.GetEnvironmentVariable("JPY_PARENT_PID");
        Environment.SetEnvironmentVariable("JPY_PARENT_PID", $"{server.Id}");
        try
        {
            using var kernel = new RunningKernel();
            server.Kill();
            server.WaitForExit();
            kernel.Process.WaitForExit();
            Assert.Equal(0, kernel.Process.ExitCode);
        }
        finally
        {
            Environment.SetEnvironmentVariable("JPY_PARENT_PID", before);
        }
    }

    [Fact]
    public void A_kernel_listens_on_what_the_file_names_and_nothing_else()
    {
        using var kernel = new RunningKernel();
        var own = new[] { kernel.Connection.Shell, kernel.Connection.Control, kernel.Connection.Stdin, kernel.Connection.Iopub, kernel.Connection.Heartbeat };
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(e => own.Contains(e.Port)).ToList();
        Assert.Equal(own.Order(), listening.Select(e => e.Port).Order());
        Assert.All(listening, e => Assert.Equal(IPAddress.Loopback, e.Address));
    }

    [Fact]
    public void A_connection_file_is_read_with_its_defaults()
    {
        var connection = Load(new() { ["ip"] = "::1", ["key"] = "ä" });
        Assert.Equal(("tcp://[::1]", 1, 5), (connection.Address, connection.Shell, connection.Heartbeat));
        Assert.Equal("ä"u8.ToArray(), connection.Key);
        Assert.Empty(Load([]).Key);
    }

    [Theory]
    [InlineData("transport", "\"ipc\"", "expected tcp, found 'ipc'")]
    [InlineData("signature_scheme", "\"hmac-md5\"", "expected hmac-sha256, found 'hmac-md5'")]
    [InlineData("ip", "\"*\"", "expected an IP address, found '*'")]
    [InlineData("key", "3", "expected a string, found 3")]
    [InlineData("shell_port", "70000", "expected a port, found 70000")]
    [InlineData("hb_port", "null", "expected a port, found nothing")]
    public void A_connection_file_that_cannot_be_served_is_an_error_that_says_why(string name, string value, string reason)
    {
        var error = Assert.Throws<InvalidDataException>(() => Load(new() { [name] = JsonNode.Parse(value) }));
        Assert.Contains("connection.json", error.Message);
        Assert.Contains(name, error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void A_port_that_is_taken_ends_the_kernel_with_a_message()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var errors = new StringWriter();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var error = Assert.Throws<IOException>(() => new Channels(Load([]) with { Shell = port }, (_, _) => { }, errors.WriteLine));
        Assert.Contains($"127.0.0.1:{port}", error.Message);
    }

    static ConnectionFile Load(JsonObject values)
    {
        var json = new JsonObject { ["shell_port"] = 1, ["control_port"] = 2, ["stdin_port"] = 3, ["iopub_port"] = 4, ["hb_port"] = 5 };
        foreach (var (name, value) in values)
        {
            json[name] = value?.DeepClone();
        }

        var folder = Directory.CreateTempSubdirectory("connection-").FullName;
        try
        {
            var file = Path.Combine(folder, "connection.json");
            File.WriteAllText(file, json.ToJsonString());
            return ConnectionFile.Load(file);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
