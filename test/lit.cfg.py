# How lit runs the tests of dspc.
#
# Substitutions
#   %mpirun N ...   starts N ranks on this machine, however few cores it has
#   %fixtures       test/fixtures
#   %examples       examples
#   %topologies     topologies
#   %source         the root of the source tree
# Features
#   cuda-gpu        a GPU and a program to build for it are there
#   asan            the build has the sanitizers
#   release         the build is optimized
#   long            DSPC_LONG=1: tests that take minutes, or a quiet machine
#   mpi, python3    the tool is there
# dspc, dsp-opt, the unit tests, FileCheck, not and mlir-opt are on PATH.

import os
import shutil
import subprocess

import lit.formats

source = config.dsp_source
build = config.dsp_build

config.name = "dspc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".dsp", ".mlir", ".test", ".c"]
config.excludes = ["Inputs", "fixtures", "CMakeLists.txt"]
config.test_source_root = os.path.join(source, "test")
config.test_exec_root = os.path.join(build, "test")

path = [os.path.join(build, "bin"), config.dsp_llvm_bin]
config.environment["PATH"] = os.pathsep.join(path + [os.environ["PATH"]])

# Open MPI: more ranks than cores, also as root and in a container; waiting
# ranks give their core away; nothing on the network.
config.environment.update({
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_btl": "self,vader",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_plm_rsh_agent": "false",
    "HWLOC_HIDE_ERRORS": "2", # each rank would say that /sys is not mounted
    "RES_OPTIONS": "timeout:1 attempts:1", # MPI asks for the machine's name
    "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
})
for name in ("HOME", "TMPDIR", "DSPC_LONG", "DSPC_RUNTIME_DIR", "CUDA_VISIBLE_DEVICES",
             "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
if os.environ.get("DSPC_LONG") == "1":
    config.available_features.add("long")
if config.dsp_build_type.lower() == "release":
    config.available_features.add("release")
if config.dsp_build_type.lower() == "asan":
    config.available_features.add("asan")
    # Open MPI keeps memory until the process ends.
    suppressions = os.path.join(source, "test", "lsan.supp")
    config.environment.setdefault(
        "LSAN_OPTIONS", "suppressions=" + suppressions + ":print_suppressions=0")
    config.environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")

mpirun = config.dsp_mpirun or "mpirun"
config.substitutions += [
    ("%mpirun", os.path.join(source, "test", "Inputs", "mpirun") + " " + mpirun),
    ("%fixtures", os.path.join(source, "test", "fixtures")),
    ("%examples", os.path.join(source, "examples")),
    ("%topologies", os.path.join(source, "topologies")),
    ("%source", source),
]


def gpu_is_there():
    tool = shutil.which("nvidia-smi")
    if not tool or not os.path.exists(os.path.join(build, "lib",
                                                   "libdsprt_cuda.a")):
        return False
    try:
        listed = subprocess.run([tool, "-L"], capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


if gpu_is_there():
    config.available_features.add("cuda-gpu")
for tool in ("python3", "mpirun"):
    if shutil.which(tool):
        config.available_features.add("mpi" if tool == "mpirun" else tool)

try:
    import psutil  # lit needs it to end a test that hangs  # noqa: F401
    long_tier = os.environ.get("DSPC_LONG") == "1"
    lit_config.maxIndividualTestTime = 3600 if long_tier else 300
except ImportError:
    lit_config.note("no time limit a test: python3-psutil is not installed")
