using System.Text;
using Vit.Training;

namespace Vit.Tests.Training;

public class ProgressTests
{
    [Fact]
    public void The_bar_writes_over_itself_and_is_gone_at_an_epochs_end()
    {
        var output = new StringWriter();
        var bar = new ProgressBar(output);
        bar.Report(new(2, 12, 430, 860, 0.5123, 0.8125, 411.6, new TimeSpan(27, 5, 9)));
        Assert.Equal("\repoch 2/12 [############............] loss 0.512, top-1 81.25 %,   412 images/s, 27:05:09 left ", output.ToString());
        bar.Report(new(2, 12, 860, 860, 0.5, 0.8, 412, default));
        Assert.EndsWith("\r", output.ToString());
        Assert.Equal("", output.ToString().Split('\r')[2].Trim());
    }

    [Fact]
    public void TensorBoards_file_holds_every_epoch()
    {
        using var folder = new TemporaryFolder();
        var epoch = new EpochRecord
        {
            Epoch = 1,
            Step = 77,
            TrainingLoss = 0.625,
            TrainingTop1 = 0.5,
            ValidationLoss = 0.25,
            Top1 = 0.75,
            Top5 = 1,
            Best = true,
            LearningRate = 0.125,
            Seconds = 3,
            ImagesPerSecond = 2048,
            WaitShare = 0,
        };
        var log = new TensorBoardLog(folder.FullName);
        log.Add(epoch);
        log.Add(epoch with { Epoch = 2, Step = 154, TrainingLoss = 0.3125 });
        var bytes = File.ReadAllBytes(folder[Assert.Single(folder.Files)]);
        // A record: length (8 bytes), its checksum (4), the event, its checksum (4).
        var events = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = (int)BitConverter.ToUInt64(bytes, at);
            events.Add(bytes[(at + 12)..(at + 12 + length)]);
            at += length + 16;
        }
        foreach (var loss in (float[])[0.625f, 0.3125f])
            Assert.Single(events, e => Contains(e, Encoding.UTF8.GetBytes("loss/training")) && Contains(e, BitConverter.GetBytes(loss)));

        static bool Contains(byte[] bytes, byte[] part) => bytes.AsSpan().IndexOf(part) >= 0;
    }
}
