"""The figures the README quotes: kbridge beside Keras and hand-written native code, in one run.

`python -m benchmarks` runs them all. A figure is a file with two halves: `figure(options)` runs in
this process and makes the table; `prepare(spec)` runs in a worker process, one per side (Keras
fixes one backend per process), and returns what is timed. Workers take turns, so a slow minute
hits all sides.
"""
