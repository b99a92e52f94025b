# Sourced: how AFL++ is told to put up with a program that it has not compiled.
export AFL_SKIP_BIN_CHECK=1      # the instrumentation is in the assemblies, not in the executable
export AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1   # settings of the machine that are not ours to change
export AFL_NO_UI=1
export AFL_FORKSRV_INIT_TMOUT=120000   # the runtime starts, and compiles the target
export DOTNET_GCHeapHardLimit=0x20000000   # half a gigabyte: an input that makes us take more is a finding
export DOTNET_TieredCompilation=0
export DOTNET_EnableDiagnostics=0
TARGETS='head frames deflate utf8 sse publish proxy'
