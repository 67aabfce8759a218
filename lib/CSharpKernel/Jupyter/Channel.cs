namespace CSharpKernel.Jupyter;

/// <summary>A socket of the kernel.</summary>
enum Channel
{
    Shell,
    Control,
    Stdin,
    Iopub,
}
