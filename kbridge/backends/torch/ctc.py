"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

__all__ = ["fused_ctc_loss"]


def fused_ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, blank: int) -> Any:
    if torch.compiler.is_compiling():
        return None  # Dynamo doesn't take it: it reads the lengths
    logs = F.log_softmax(output, 2).transpose(0, 1)
    return F.ctc_loss(logs, target.long(), output_length.long(), target_length.long(), blank, "none")
