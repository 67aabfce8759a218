using CSharpKernel.Assistance;

namespace CSharpKernel.Tests.Assistance;

public sealed class CompletenessTests
{
    [Theory]
    [InlineData("")]
    [InlineData("1 + 1")]
    [InlineData("var a = 1;")]
    [InlineData("void F() { }")]
    [InlineData("await Task.Delay(1);")]
    [InlineData("#r \"nuget: Package, 1.0\"\n1")]
    [InlineData("#!time\n1 + 1")]
    [InlineData("#!markdown\nan open ( parenthesis")]
    [InlineData("// {")]
    public void A_whole_cell_is_complete(string code) => Assert.Equal(new("complete"), CodeAssistant.IsComplete(code));

    [Theory]
    [InlineData("if (true) {", "    ")]
    [InlineData("void F()\n{\n    for (;;)\n    {\n", "        ")]
    [InlineData("void F()\n{\n    return;", "    ")]
    [InlineData("Console.WriteLine(", "    ")]
    [InlineData("var a = 1 +", "")]
    [InlineData("foreach (var i in new[] { 1 })", "")]
    [InlineData("var s = \"\"\"", "")]
    [InlineData("/* to be", "")]
    [InlineData("#!markdown\n{\n#!csharp\nclass C {", "    ")]
    public void An_open_one_goes_on(string code, string indent) => Assert.Equal(new("incomplete", indent), CodeAssistant.IsComplete(code));

    [Theory]
    [InlineData("var a = ;")]
    [InlineData("}")]
    [InlineData("var s = \"open\nvar b = 1;")]
    [InlineData("#!frobnicate")]
    [InlineData("#!fsharp\nlet x = 1")]
    public void A_wrong_one_is_invalid(string code) => Assert.Equal(new("invalid"), CodeAssistant.IsComplete(code));
}
