"""Ends training that has gone wrong."""

from __future__ import annotations

import math

from kbridge.core.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Stops at the first step whose loss is NaN or infinite. It looks at, and so waits for, every step.

    Args:
        raise_error: whether to raise a RuntimeError instead of ending `fit`.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss of batch {batch} is {loss}. Lower the learning rate, or check the data.")
        print(f"Batch {batch}: the loss is {loss}, training ends")
        self.model.stop_training = True
