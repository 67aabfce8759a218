using TorchSharp;
using Vit.Inspection;
using static TorchSharp.torch;

namespace Vit.Tests.Inspection;

public class VectorsTests
{
    [Fact]
    public void Similarity_is_the_cosine_whatever_the_length() =>
        Close.Equal(
            tensor(new float[,] { { 1, 0, -1, 0 }, { 0, 1, 0, 0 }, { -1, 0, 1, 0 }, { 0, 0, 0, 0 } }),
            Vectors.CosineSimilarity(tensor(new float[,] { { 2, 0 }, { 0, 3 }, { -1, 0 }, { 0, 0 } })));

    [Fact]
    public void Rows_along_one_direction_are_explained_by_it()
    {
        random.manual_seed(1);
        var direction = tensor(new float[] { 0.6f, -0.8f, 0 });
        var along = randn(50, 1);
        var (directions, scores, explained) = Vectors.PrincipalComponents(along * direction + 5, 2);
        Close.Equal(-direction, directions[0]);      // the largest entry is positive
        Close.Equal(-(along - along.mean()).squeeze(1), scores.select(1, 0), 1e-4);
        Close.Equal(tensor(new float[] { 1, 0 }), explained);
    }

    [Fact]
    public void All_directions_give_the_rows_back()
    {
        random.manual_seed(2);
        var rows = randn(20, 6);
        var (directions, scores, explained) = Vectors.PrincipalComponents(rows, 6);
        Close.Equal(rows, scores.mm(directions) + rows.mean([0], keepdim: true));
        Close.Equal(eye(6), directions.mm(directions.t()));
        Assert.Equal(1, explained.sum().ToDouble(), 5);
        Assert.True((explained.slice(0, 0, 5, 1) >= explained.slice(0, 1, 6, 1)).all().ToBoolean());
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Contains("[3]", Assert.Throws<ArgumentException>(() => Vectors.CosineSimilarity(zeros(3))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Vectors.PrincipalComponents(zeros(3, 2), 3));
    }
}
