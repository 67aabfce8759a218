using Vit.Interactive;

namespace Vit.Tests.Interactive;

public class DataFolderTests
{
    [Fact]
    public void The_photographs_are_found() => Assert.True(File.Exists(DataFolder.PathTo("photos", "cat.png")));

    [Fact]
    public void It_is_found_from_any_depth_and_from_the_second_start()
    {
        using var repository = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        repository.Write("vit-notebooks.sln", []);
        var deep = Directory.CreateDirectory(Path.Combine(repository.FullName, "notebooks", "solutions")).FullName;

        Assert.Equal(Path.Combine(repository.FullName, "data"), DataFolder.Find(deep));
        Assert.Equal(Path.Combine(repository.FullName, "data"), DataFolder.Find(elsewhere.FullName, null, deep));
    }

    [Fact]
    public void Outside_the_repository_the_message_says_what_is_looked_for()
    {
        using var elsewhere = new TemporaryFolder();
        var error = Assert.Throws<DirectoryNotFoundException>(() => DataFolder.Find(elsewhere.FullName));
        Assert.Contains("vit-notebooks.sln", error.Message);
        Assert.Contains(elsewhere.FullName, error.Message);
    }
}
