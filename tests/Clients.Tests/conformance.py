"""What Jupyter's own test of kernels is to ask a C# kernel."""

import os
import unittest

import jupyter_kernel_test
from jupyter_client.manager import start_new_kernel

# Seconds; what the tests have by themselves is for a machine that does nothing else.
PATIENCE = 300
jupyter_kernel_test.TIMEOUT = PATIENCE
for helper in (jupyter_kernel_test.KernelTests.execute_helper, jupyter_kernel_test.KernelTests.history_helper):
    helper.__defaults__ = tuple(PATIENCE if type(value) is int else value for value in helper.__defaults__)


class CSharpKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = os.environ["KERNEL"]
    language_name = "csharp"
    file_extension = ".cs"

    @classmethod
    def setUpClass(cls):
        cls.km, cls.kc = start_new_kernel(startup_timeout=PATIENCE, kernel_name=cls.kernel_name)

    code_hello_world = 'Console.WriteLine("hello, world");'
    code_stderr = 'Console.Error.WriteLine("oops");'

    completion_samples = [
        {"text": "Console.WriteL", "matches": ["WriteLine"]},
        {"text": "Math.Cei", "matches": ["Ceiling"]},
        {"text": 'var text = "abc"; text.Sub', "matches": ["Substring"]},
        {"text": "fore", "matches": ["foreach"]},
    ]

    complete_code_samples = [
        "1 + 1",
        "var x = 1;",
        "int Twice(int n)\n{\n    return 2 * n;\n}",
        'foreach (var i in new[] { 1, 2 }) { Console.WriteLine(i); }',
        "await Task.Delay(1);",
        "// a comment",
        '#r "nuget: Newtonsoft.Json, 13.0.1"',
    ]
    incomplete_code_samples = [
        "int Twice(int n)\n{",
        "Console.WriteLine(",
        "var x =",
        "class Point\n{\n    public int X;",
        "/* a comment",
        'var text = """\nraw',
    ]
    invalid_code_samples = [
        "var 1x = 2;",
        "}",
        "Console.WriteLine(1));",
    ]

    code_generate_error = 'throw new InvalidOperationException("no");'

    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"six" + " " + "seven"', "result": "six seven"},
        {"code": 'new { Name = "six", Value = 6 }', "mime": "text/html"},
        {"code": "new List<int> { 1, 2 }", "result": "[ 1, 2 ]"},
    ]
    code_history_pattern = "6 ? 7*"
    supported_history_operations = ("tail", "range", "search")

    code_display_data = [
        {"code": 'display(HTML("<b>bold</b>"));', "mime": "text/html"},
        {"code": '"# Title".DisplayAs("text/markdown");', "mime": "text/markdown"},
        {"code": '"<svg xmlns=\\"http://www.w3.org/2000/svg\\"/>".DisplayAs("image/svg+xml");', "mime": "image/svg+xml"},
    ]

    code_inspect_sample = "Console.WriteLine"
    code_clear_output = "ClearOutput();"


if __name__ == "__main__":
    unittest.main()
