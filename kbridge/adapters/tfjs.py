"""TF.js graph models, a folder of model.json and weight shards: written directly, run in Node."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kbridge.adapters.atomic import replaced_folder
from kbridge.adapters.frozen import freeze
from kbridge.adapters.ports import Port, bind
from kbridge.adapters.require import require
from kbridge.adapters.runner import Runner
from kbridge.adapters.tfjs_graph import Prepared, prepare
from kbridge.core.errors import ExportError, LoadError, MissingDependencyError

SHARD = 4 * 1024 * 1024  # bytes; browsers cache files up to about this size

# NumPy's name, TensorFlow's in the signature, and the dtype of the tensor that TF.js computes with.
SIGNATURE_DTYPES = {
    "float32": ("DT_FLOAT", "float32"),
    "int32": ("DT_INT32", "int32"),
    "int64": ("DT_INT32", "int32"),
    "uint8": ("DT_UINT8", "int32"),
    "bool": ("DT_BOOL", "bool"),
}

NO_NODE = "Node is not installed. Install it from https://nodejs.org."
NO_PACKAGE = (
    "The npm package @tensorflow/tfjs is not found. Run: npm install @tensorflow/tfjs "
    "(or set KBRIDGE_TFJS to the folder that holds its node_modules)."
)


def write_tfjs(function: Any, path: str | os.PathLike[str]) -> None:
    """Write a function as a TF.js graph model, for `tf.loadGraphModel`.

    int64 becomes int32, which is what TF.js has.

    Args:
        function: a concrete function, or a `tf.function` with an input signature. Free sizes stay
            free.
        path: the folder to write. An earlier export there is replaced at the very end.

    Raises:
        ExportError: TF.js can't run an op or a dtype (the message names the nodes), the parent
            folder doesn't exist, or the folder holds other files.
    """
    frozen = freeze(function)
    for port in (*frozen.inputs, *frozen.outputs):
        if port.dtype not in SIGNATURE_DTYPES:
            raise ExportError(f"TF.js has no {port.dtype}, the dtype of {port}.")
    with replaced_folder(path, ours=is_tfjs_entry) as draft:
        prepared = prepare(frozen)
        shards = list(_shards(prepared.weights))
        names = [f"group1-shard{i + 1}of{len(shards)}.bin" for i in range(len(shards))]
        for name, content in zip(names, shards, strict=True):
            (draft / name).write_bytes(content)
        model = _model_json(prepared, frozen.inputs, frozen.outputs, names)
        (draft / "model.json").write_text(json.dumps(model))


def run_tfjs(path: str | os.PathLike[str], node: str | None = None, timeout: float = 120.0) -> "TfjsRunner":
    """A callable, `outputs = runner(inputs)`, that runs a TF.js graph model in Node, on the CPU.

    Args:
        path: the folder with model.json.
        node: the Node executable; None looks for it.
        timeout: seconds after which a call's process is ended.
    """
    return TfjsRunner(path, node, timeout)


class TfjsRuntime(NamedTuple):
    """Where Node and the npm package are; `reason` says why they can't be used, or is empty."""

    node: str
    package: str
    reason: str


def find_tfjs(node: str | None = None) -> TfjsRuntime:
    """Look for Node and for @tensorflow/tfjs.

    The package is looked for in the folder that the environment variable KBRIDGE_TFJS names (it
    holds node_modules), else in node_modules of the current folder and those above, of the virtual
    environment, and among npm's global packages.

    Args:
        node: the Node executable; None looks for it.
    """
    executable = shutil.which(node or "node")
    if executable is None:
        return TfjsRuntime("", "", f"There is no executable {node}." if node else NO_NODE)
    for folder in _module_folders():
        package = folder / "node_modules" / "@tensorflow" / "tfjs"
        if (package / "package.json").is_file():
            return TfjsRuntime(executable, str(package), _unfit(package))
    return TfjsRuntime(executable, "", NO_PACKAGE)


class TfjsRunner(Runner):
    """A TF.js graph model in Node, one process per call. What was int64 comes back as int32.

    Raises:
        LoadError: the folder has no model.json, or it isn't a graph model with a signature.
        MissingDependencyError: Node or @tensorflow/tfjs isn't there.
    """

    def __init__(self, path: str | os.PathLike[str], node: str | None = None, timeout: float = 120.0) -> None:
        self.path = Path(path).resolve()
        signature = _signature(self.path)
        self.inputs = tuple(_port(name, entry) for name, entry in signature["inputs"].items())
        self.outputs = tuple(_port(name, entry) for name, entry in signature["outputs"].items())
        self._runtime = find_tfjs(node)
        if self._runtime.reason:
            raise MissingDependencyError(self._runtime.reason)
        self._timeout = timeout

    def run(self, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self._run(feed, repeats=0)[0]

    def latency(self, inputs: Sequence[Any] | Mapping[str, Any], repeats: int = 20) -> float:
        """Median milliseconds of a call inside Node, over `repeats` calls after a first one."""
        return self._run(bind(self.inputs, inputs), repeats)[1]

    def _run(self, feed: dict[str, np.ndarray], repeats: int) -> tuple[list[np.ndarray], float]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self._write_request(folder, feed, repeats)
            self._run_node(folder)
            response = json.loads((folder / "response.json").read_text())
            content = (folder / "outputs.bin").read_bytes()
        arrays = _arrays(response["outputs"], content)
        ports = zip(self.outputs, arrays, strict=True)
        return [array.astype(port.dtype) for port, array in ports], response["milliseconds"]

    def _write_request(self, folder: Path, feed: dict[str, np.ndarray], repeats: int) -> None:
        inputs, content = [], b""
        for port in self.inputs:
            dtype = SIGNATURE_DTYPES[port.dtype][1]
            array = feed[port.name].astype(dtype)
            inputs.append({"name": port.name, "dtype": dtype, "shape": array.shape, "size": array.nbytes})
            content += array.tobytes()
        request = {
            "package": self._runtime.package,
            "model": str(self.path),
            "inputs": inputs,
            "outputs": [port.name for port in self.outputs],
            "repeats": repeats,
        }
        (folder / "inputs.bin").write_bytes(content)
        (folder / "request.json").write_text(json.dumps(request))

    def _run_node(self, folder: Path) -> None:
        script = Path(__file__).with_name("run_tfjs.cjs")
        try:
            done = subprocess.run(
                [self._runtime.node, str(script), str(folder)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as problem:  # subprocess.run has ended the process
            raise ExportError(f"Node gave no result for {self.path} in {self._timeout} s.") from problem
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip()
            raise ExportError(f"TF.js can't run {self.path}: {reason}")


# ---- writing ------------------------------------------------------------


def is_tfjs_entry(name: str) -> bool:
    return name == "model.json" or re.fullmatch(r"group\d+-shard\d+of\d+\.bin", name) is not None


def _shards(weights: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    content = b"".join(value.astype(value.dtype.newbyteorder("<")).tobytes() for value in weights.values())
    for start in range(0, max(len(content), 1), SHARD):
        yield content[start : start + SHARD]


def _model_json(
    prepared: Prepared, inputs: Sequence[Port], outputs: Sequence[Port], shards: list[str]
) -> dict[str, Any]:
    json_format = require("google.protobuf.json_format", "export")
    tf = require("tensorflow", "export")
    specs = [
        {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
        for name, value in prepared.weights.items()
    ]
    return {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": "kbridge",
        "signature": {
            "inputs": {port.name: _entry(port, prepared.feeds[port.name]) for port in inputs},
            "outputs": {port.name: _entry(port, prepared.fetches[port.name]) for port in outputs},
        },
        "modelTopology": json_format.MessageToDict(prepared.graph),
        "weightsManifest": [{"paths": shards, "weights": specs}],
    }


def _entry(port: Port, node: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": f"{node}:0", "dtype": SIGNATURE_DTYPES[port.dtype][0]}
    if port.shape is not None:
        sizes = [{"size": str(-1 if size is None else size)} for size in port.shape]
        entry["tensorShape"] = {"dim": sizes}
    return entry


# ---- reading ------------------------------------------------------------


def _signature(folder: Path) -> dict[str, Any]:
    try:
        model = json.loads((folder / "model.json").read_text())
        signature = model["signature"]
        return {side: dict(signature[side]) for side in ("inputs", "outputs")}
    except FileNotFoundError as problem:
        raise LoadError(f"There is no model.json in {folder}.") from problem
    except (ValueError, KeyError, TypeError, OSError) as problem:
        raise LoadError(f"model.json in {folder} is not a graph model with a signature.") from problem


def _port(name: str, entry: Mapping[str, Any]) -> Port:
    dtypes = {tf_name: name for name, (tf_name, _) in reversed(SIGNATURE_DTYPES.items())}
    shape = None
    if "tensorShape" in entry:
        sizes = [int(size["size"]) for size in entry["tensorShape"].get("dim", [])]
        shape = tuple(None if size < 0 else size for size in sizes)
    return Port(name, shape, dtypes[entry["dtype"]])


def _arrays(entries: Sequence[Mapping[str, Any]], content: bytes) -> Iterator[np.ndarray]:
    start = 0
    for entry in entries:
        values = np.frombuffer(content[start : start + entry["size"]], entry["dtype"])
        yield values.reshape(entry["shape"])
        start += entry["size"]


# ---- looking for the runtime --------------------------------------------


def _module_folders() -> Iterator[Path]:
    """Folders that may hold node_modules. A folder named on purpose is the only one."""
    named = os.environ.get("KBRIDGE_TFJS")
    if named:
        yield Path(named)
        return
    here = Path.cwd()
    yield from (here, *here.parents)
    yield Path(sys.prefix)
    yield from _global_folder()


def _global_folder() -> Iterator[Path]:
    npm = shutil.which("npm")
    if npm is None:
        return
    try:
        found = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired:  # npm may wait for a network; then it knows nothing
        return
    if found.returncode == 0 and found.stdout.strip():
        yield Path(found.stdout.strip()).parent


def _unfit(package: Path) -> str:
    """Why this copy of the package can't be used, or nothing."""
    try:
        version = json.loads((package / "package.json").read_text())["version"]
        major = int(version.partition(".")[0])
    except (ValueError, KeyError, OSError):
        return f"{package} is damaged. Install it again."
    return "" if major >= 4 else f"{package} has version {version}. Version 4 or later is needed."
