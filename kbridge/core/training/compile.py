"""What `compile` was told about losses and metrics, fitted to the outputs of the model."""

from __future__ import annotations

from typing import Any

from kbridge.core.graph.node import leaves
from kbridge.core.losses.find import get as find_loss
from kbridge.core.losses.loss import Loss, LossFunctionWrapper
from kbridge.core.metrics.find import get as find_metric
from kbridge.core.metrics.metric import Metric
from kbridge.core.metrics.reduction import Mean, MeanMetricWrapper
from kbridge.core.ops.elementwise import multiply

ACCURACIES = ("accuracy", "acc")
CROSSENTROPIES = ("crossentropy", "ce")


def per_output(given: Any, names: list[str], what: str) -> list[Any]:
    """One entry for each output, from a list, a dict by output name, or one thing for a single output."""
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            raise ValueError(f"{what} names the outputs {sorted(unknown)}; the model has {names}.")
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(f"{what} has {len(given)} entries for {len(names)} outputs.")
        return list(given)
    return [given] * len(names)


def output_names(model: Any, y_pred: Any) -> list[str]:
    """A name for each output."""
    if isinstance(y_pred, dict):
        return list(y_pred)
    names = getattr(model, "output_names", None)
    count = len(leaves(y_pred))
    return list(names) if names and len(names) == count else [f"output_{i}" for i in range(count)]


class CompiledLoss:
    """The loss of all outputs together."""

    def __init__(self, loss: Any, weights: Any) -> None:
        self.given, self.weights = loss, weights
        self.functions: list[Any] | None = None
        self.scales: list[Any] = []
        self.trackers: list[Mean] = []

    def build(self, y_pred: Any, model: Any) -> None:
        """Fit the losses to the outputs."""
        names = output_names(model, y_pred)
        given = per_output(self.given, names, "loss")
        self.functions = [_as_loss(each) for each in given]
        self.scales = per_output(self.weights, names, "loss_weights")
        if len(names) > 1:
            self.trackers = [Mean(name=f"{name}_loss") for name, f in zip(names, self.functions, strict=True) if f]

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        assert self.functions is not None
        targets, outputs = leaves(y), leaves(y_pred)
        if isinstance(y_pred, dict) and isinstance(y, dict):
            targets = [y[name] for name in y_pred]
        if len(targets) != len(outputs) and len(self.functions) == len(outputs):
            raise ValueError(f"The model has {len(outputs)} outputs and got {len(targets)} targets.")
        weights = leaves(sample_weight)
        weights = weights * len(outputs) if len(weights) == 1 else weights
        total: Any = None
        trackers = iter(self.trackers)
        for function, scale, target, output, weight in zip(
            self.functions, self.scales, targets, outputs, weights, strict=True
        ):
            if function is None:
                continue
            value = function(target, output, sample_weight=weight)
            if self.trackers:
                next(trackers).update_state(value, sample_weight=output.shape[0])
            value = value if scale is None else multiply(value, scale)
            total = value if total is None else total + value
        return total


def _as_loss(given: Any) -> Any:
    if given is None or isinstance(given, Loss):
        return given
    found = find_loss(given)
    return found if isinstance(found, Loss) else LossFunctionWrapper(found, name=getattr(found, "__name__", None))


class CompiledMetrics:
    """The metrics of all outputs."""

    def __init__(self, plain: Any, weighted: Any) -> None:
        self.given = (plain, weighted)
        self.built = False
        self.rows: list[tuple[int, Metric, bool]] = []  # output, metric, uses sample weights

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in the order given."""
        return [metric for _, metric, _ in self.rows]

    def build(self, y: Any, y_pred: Any, model: Any) -> None:
        """Fit the metrics to the outputs."""
        names = output_names(model, y_pred)
        targets, outputs = leaves(y), leaves(y_pred)
        for given, weighted in zip(self.given, (False, True), strict=True):
            if given is None:
                continue
            single = len(names) == 1 and not isinstance(given, dict)
            each = [given] if single else per_output(given, names, "metrics")
            for i, entries in enumerate(each):
                for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
                    if entry is None:
                        continue
                    metric = _as_metric(entry, targets[min(i, len(targets) - 1)], outputs[i])
                    if len(names) > 1:
                        metric.name = f"{names[i]}_{metric.name}"
                    self.rows.append((i, metric, weighted))
        self.built = True

    def update(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Let each metric see the batch."""
        if not self.rows:
            return
        targets, outputs, weights = leaves(y), leaves(y_pred), leaves(sample_weight)
        for i, metric, weighted in self.rows:
            weight = weights[min(i, len(weights) - 1)] if weighted else None
            metric.update_state(targets[i], outputs[i], sample_weight=weight)


def _as_metric(given: Any, target: Any, output: Any) -> Metric:
    if isinstance(given, Metric):
        return given
    if isinstance(given, str) and given in (*ACCURACIES, *CROSSENTROPIES):
        kind = "binary" if output.shape[-1] == 1 else "categorical"
        if kind == "categorical" and (len(target.shape) < len(output.shape) or target.shape[-1] == 1):
            kind = "sparse_categorical"
        word = "accuracy" if given in ACCURACIES else "crossentropy"
        found = find_metric(f"{kind}_{word}")
        return _wrapped(found, given)
    return _wrapped(find_metric(given), given if isinstance(given, str) else None)


def _wrapped(found: Any, name: str | None) -> Metric:
    if isinstance(found, Metric):
        if name is not None:
            found.name = name
        return found
    return MeanMetricWrapper(found, name=name or found.__name__)
