"""`import kbridge` beside `import numpy` and `import keras`, in fresh processes in turns."""

import json
import subprocess
import sys
import tempfile
from statistics import median
from typing import Any

from benchmarks.api import BACKENDS
from benchmarks.machine import environment
from benchmarks.table import Figure, Row, difference
from benchmarks.turns import ROOT, Options

BAR = 0.3  # seconds over NumPy
PROGRAM = """
import sys, time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
import json
loaded = sorted({{"torch", "jax", "tensorflow", "flax", "optax", "keras"}} & set(sys.modules))
print(json.dumps({{"seconds": seconds, "loaded": loaded}}))
"""
# What is imported, and what KERAS_BACKEND says.
IMPORTS = {"numpy": ("numpy", ""), "kbridge": ("kbridge", "")}
IMPORTS |= {f"keras {backend}": ("keras", backend) for backend in BACKENDS}


def one_import(name: str, options: Options, keras_home: str) -> dict[str, Any]:
    """Seconds and the frameworks that are loaded afterwards, or the error."""
    module, backend = IMPORTS[name]
    variables = environment(options.threads, backend, keras_home)
    if not backend:
        del variables["KERAS_BACKEND"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {"error": f"{name}: {done.stderr.strip().splitlines()[-1]}"}
    return json.loads(done.stdout.splitlines()[-1])


def figure(options: Options) -> Figure:
    """Medians, and what kbridge takes longer than NumPy alone."""
    with tempfile.TemporaryDirectory() as keras_home:
        for name in IMPORTS:
            one_import(name, options, keras_home)  # writes the .pyc files, warms the disk cache
        rounds = [
            {name: one_import(name, options, keras_home) for name in IMPORTS} for _ in range(3 if options.quick else 5)
        ]
    last = rounds[-1]
    seconds = {
        name: None if "error" in last[name] else median(turn[name]["seconds"] for turn in rounds) for name in IMPORTS
    }
    result = Figure(
        "import_time",
        "Import",
        ["numpy", *(f"keras ({backend})" for backend in BACKENDS), "kbridge"],
        "kbridge over numpy",
        score_is_time=True,
    )
    cells = [seconds[name] for name in ("numpy", *(f"keras {b}" for b in BACKENDS), "kbridge")]
    result.rows.append(Row("import", cells, difference(seconds["kbridge"], seconds["numpy"]), BAR))
    result.notes += [answer["error"] for answer in last.values() if "error" in answer]
    loaded = last["kbridge"].get("loaded")
    if loaded is not None:
        found = ", ".join(loaded) or "none"
        result.notes.append(f"Frameworks that `import kbridge` loads: {found}.")
    return result
