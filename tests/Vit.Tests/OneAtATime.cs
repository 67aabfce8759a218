// libtorch's random state and default device belong to the process, and it uses every core by itself.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
