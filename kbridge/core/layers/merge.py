"""Layers that make one tensor of several, and their functional forms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from kbridge.core import settings
from kbridge.core.errors import ShapeError
from kbridge.core.layers.base import Layer
from kbridge.core.layers.options import same_tail
from kbridge.core.ops import elementwise
from kbridge.core.ops.elementwise import logical_or, where
from kbridge.core.ops.linalg import einsum
from kbridge.core.ops.reduce import any as any_over
from kbridge.core.ops.reduce import sum as sum_over
from kbridge.core.ops.shape import broadcast_to, expand_dims, ones_like, shape
from kbridge.core.ops.shape import concatenate as join
from kbridge.core.tensor.shapes import broadcast_shape, one_axis


class Merge(Layer):
    """One tensor of several, element by element. The public classes fix the function.

    Inputs of lower rank get axes of size 1 behind the batch. The outputs are masked where every
    input is masked.
    """

    supports_masking = True
    function: ClassVar[Callable[..., Any]]

    def build(self, input_shape: Any) -> None:
        shapes = listed(self, input_shape)
        if len({s[0] for s in shapes} - {None}) > 1:
            raise ShapeError(f"{type(self).__name__} needs inputs of one batch size, got shapes {shapes}.")
        functools.reduce(broadcast_shape, (self._ranked(s, shapes) for s in shapes))

    @staticmethod
    def _ranked(sizes: Any, shapes: Any) -> tuple[Any, ...]:
        return (*sizes[:1], *(1,) * (max(map(len, shapes)) - len(sizes)), *sizes[1:])

    def call(self, inputs: Any) -> Any:
        return self.merge(same_rank(inputs))

    def merge(self, inputs: list[Any]) -> Any:
        """The tensor made of inputs of one rank."""
        return functools.reduce(type(self).function, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or any(m is None for m in mask):
            return None
        return functools.reduce(logical_or, mask)


def listed(layer: Any, shapes: Any) -> list[Any]:
    """The shapes of a list of inputs, or an error if there is no list."""
    if not shapes or not isinstance(shapes[0], (list, tuple)):
        raise ShapeError(f"{type(layer).__name__} takes a list of inputs, got one of shape {shapes}.")
    return [tuple(s) for s in shapes]


def same_rank(inputs: Any) -> list[Any]:
    """The inputs, those of lower rank with axes of size 1 behind the batch."""
    rank = max(len(x.shape) for x in inputs)
    missing = [rank - len(x.shape) for x in inputs]
    if not any(missing):
        return list(inputs)
    return [expand_dims(x, tuple(range(1, 1 + m))) if m else x for x, m in zip(inputs, missing, strict=True)]


class Add(Merge):
    """The sum of the inputs. See `Merge`."""

    function = elementwise.add


class Average(Merge):
    """The mean of the inputs. See `Merge`."""

    function = elementwise.add

    def merge(self, inputs: list[Any]) -> Any:
        return elementwise.divide(super().merge(inputs), len(inputs))


class Subtract(Merge):
    """The first of two inputs less the second. See `Merge`."""

    function = elementwise.subtract

    def build(self, input_shape: Any) -> None:
        if len(listed(self, input_shape)) != 2:
            raise ShapeError(f"Subtract takes two inputs, got {len(input_shape)}.")
        super().build(input_shape)


class MaskedMerge(Merge):
    """A merge in which a masked element leaves the other inputs' elements as they are."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        inputs = same_rank(inputs)
        if mask is None or all(m is None for m in mask):
            return self.merge(inputs)
        spread = [
            None if m is None else broadcast_to(expand_dims(m, -1), shape(x)) for x, m in zip(inputs, mask, strict=True)
        ]
        return self.merge_masked(inputs, spread)

    def merge_masked(self, inputs: list[Any], masks: list[Any]) -> Any:
        """`merge`, with a mask or None for each input."""
        raise NotImplementedError(f"{type(self).__name__} needs a merge_masked.")


class Multiply(MaskedMerge):
    """The product of the inputs; a masked element counts as 1. See `Merge`."""

    function = elementwise.multiply

    def merge_masked(self, inputs: list[Any], masks: list[Any]) -> Any:
        kept = [x if m is None else where(m, x, 1) for x, m in zip(inputs, masks, strict=True)]
        product = self.merge(kept)
        if any(m is None for m in masks):
            return product
        return where(functools.reduce(logical_or, masks), product, 0)


class Extreme(MaskedMerge):
    """What `Maximum` and `Minimum` share: there is no number that leaves the others as they are."""

    def merge_masked(self, inputs: list[Any], masks: list[Any]) -> Any:
        result, known = inputs[0], masks[0]
        for x, mask in zip(inputs[1:], masks[1:], strict=True):
            x = x if mask is None else where(mask, x, result)
            result = result if known is None else where(known, result, x)
            known = None if mask is None or known is None else logical_or(known, mask)
            result = type(self).function(result, x)
        return result


class Maximum(Extreme):
    """The largest of the inputs. See `Merge`."""

    function = elementwise.maximum


class Minimum(Extreme):
    """The smallest of the inputs. See `Merge`."""

    function = elementwise.minimum


class Concatenate(Merge):
    """The inputs joined along `axis`, which isn't the batch."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        shapes = listed(self, input_shape)
        rest = []
        for sizes in shapes:
            at = one_axis(self.axis, len(sizes))
            rest.append((*sizes[:at], *sizes[at + 1 :]))
        if len({len(r) for r in rest}) > 1 or any(len(set(sizes) - {None}) > 1 for sizes in zip(*rest, strict=True)):
            raise ShapeError(f"Concatenate needs inputs that differ only at axis {self.axis}, got shapes {shapes}.")

    def call(self, inputs: Any) -> Any:
        return join(list(inputs), self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        whole = []
        for x, m in zip(inputs, mask, strict=True):
            ones = ones_like(x, "bool")
            whole.append(ones if m is None else elementwise.logical_and(same_tail(m, len(x.shape)), ones))
        return any_over(join(whole, self.axis), -1)


class Dot(Merge):
    """The sum of products of two inputs along an axis of each, sample by sample.

    Args:
        axes: the axis, or one for each input; not the batch.
        normalize: whether the inputs are scaled to length 1 along it (which gives the cosine).

    Shapes: the first input's other axes, then the second's; at least `(batch, 1)`.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else axes
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or any(not isinstance(a, int) for a in pair):
            raise ValueError(f"axes is a whole number or a pair of them, got {axes!r}.")
        self.axes, self.normalize = axes, normalize

    def _axes_for(self, first: Any, second: Any) -> tuple[int, int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        a, b = one_axis(pair[0], len(first)), one_axis(pair[1], len(second))
        if 0 in (a, b):
            raise ShapeError(f"Dot can't sum over the batch, axis 0; got axes={self.axes}.")
        return a, b

    def build(self, input_shape: Any) -> None:
        shapes = listed(self, input_shape)
        if len(shapes) != 2:
            raise ShapeError(f"Dot takes two inputs, got {len(shapes)}.")
        a, b = self._axes_for(*shapes)
        if len({shapes[0][a], shapes[1][b]} - {None}) > 1:
            raise ShapeError(f"Dot along axes {(a, b)} needs equal sizes there, got shapes {shapes}.")

    def call(self, inputs: Any) -> Any:
        first, second = inputs
        a, b = self._axes_for(first.shape, second.shape)
        if self.normalize:
            first, second = unit(first, a), unit(second, b)
        left, right = list("abcdefgh"[: len(first.shape)]), list("aijklmno"[: len(second.shape)])
        right[b] = left[a]
        kept = [c for c in left if c != left[a]] + [c for c in right[1:] if c != left[a]]
        output = einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", first, second)
        return expand_dims(output, 1) if len(kept) == 1 else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


def unit(x: Any, axis: int) -> Any:
    """`x` with length 1 along `axis`; vectors shorter than epsilon are divided by epsilon."""
    length = sum_over(elementwise.square(x), axis, True)
    return elementwise.multiply(x, elementwise.rsqrt(elementwise.maximum(length, settings.epsilon() ** 2)))


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add` as a function."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract` as a function."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply` as a function."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average` as a function."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum` as a function."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum` as a function."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate` as a function."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot` as a function."""
    return Dot(axes, **kwargs)(inputs)
