"""The class of models made from a graph: what `Model(inputs, outputs)` gives."""

from __future__ import annotations

from kbridge.core.models.model import Model


class Functional(Model):
    """A model made from symbolic inputs and outputs."""
