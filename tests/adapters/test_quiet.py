"""Nothing is printed, by Python or below it, and everything can be read."""

import os
import subprocess
import sys

PROGRAM = """
import logging, os, warnings
from kbridge.adapters.quiet import quietly
with quietly() as held:
    print("from Python")
    logging.warning("from a logger")
    warnings.warn("a warning")
    os.write(1, b"from C, standard output")
    os.write(2, b"from C, standard error")
    text = held()
assert all(f"from {who}" in text for who in ("Python", "a logger", "C, standard output")), text
try:
    with quietly():
        raise KeyError("inside")
except KeyError:
    os.write(1, b"open ")
logging.warning("again")
print("after")
"""


def test_all_channels_are_held_and_then_open_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("open after\n", "WARNING:root:again\n")


def test_a_process_without_standard_output_can_export():
    closed = "import os; os.close(1); os.close(2)\n"
    check = "from kbridge.adapters.quiet import quietly\nwith quietly(): pass\nos._exit(7)"
    done = subprocess.run([sys.executable, "-c", closed + check], env={**os.environ})
    assert done.returncode == 7
