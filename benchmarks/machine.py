"""What the figures were measured on, and how every side gets the same number of threads."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("kbridge", "keras", "torch", "jax", "tensorflow", "optax", "numpy")
# NPROC sizes XLA's thread pools on the CPU.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "NPROC",
)
# glibc otherwise gives large freed blocks back to the system and takes them anew: zeroing their pages costs as much
# as an op on them, and which side of a comparison it hits is chance.
MEMORY_VARIABLES = {"MALLOC_TRIM_THRESHOLD_": str(2**32), "MALLOC_MMAP_THRESHOLD_": str(2**32)}


def environment(threads: int, keras_backend: str, keras_home: str) -> dict[str, str]:
    """A worker's variables: this process's, the threads, memory that is kept, and a Keras without user settings."""
    chosen = dict.fromkeys(THREAD_VARIABLES, str(threads)) | MEMORY_VARIABLES
    # One Keras home per run: its config file would otherwise decide dtypes and layouts.
    chosen |= {"KERAS_BACKEND": keras_backend, "KERAS_HOME": keras_home}
    chosen["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return os.environ | chosen


def processor() -> str:
    """The processor's name, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """Installed versions of the packages that are compared."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version("tensorflow-cpu" if name == "tensorflow" else name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def describe(threads: int) -> dict[str, object]:
    """Processor, cores, threads used, system, Python and package versions."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(),
    }


def sentence(machine: dict[str, object]) -> str:
    """`describe` in one line."""
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} compute thread(s) "
        f"on each side, {machine['system']}, Python {machine['python']}; {packages}"
    )
