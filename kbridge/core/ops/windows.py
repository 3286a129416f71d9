"""Windows: weights that fade out to both ends of a stretch of samples, all of length `x`.

F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
Proceedings of the IEEE 66 (1978).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from kbridge.core.ops.create import made
from kbridge.core.ops.declare import kernel
from kbridge.core.ops.elementwise import absolute, add, multiply, power, subtract
from kbridge.core.ops.elementwise import cos as cosine
from kbridge.core.settings import floatx


def _window(x: Any, weigh: Callable[[Any], Any]) -> Any:
    """`weigh(t)` for `x` places t from -1 to 1, in the default float type."""
    count = int(x) if hasattr(x, "dtype") else operator.index(x)

    def make() -> Any:
        if count < 2:
            return kernel.full((max(count, 0),), 1, floatx())
        t = kernel.cast(kernel.arange(1 - count, count, 2, "int32"), "float64")  # JAX has it only if asked to
        return kernel.cast(weigh(multiply(t, 1 / (count - 1))), floatx())

    return made((x,), make, lambda: (max(count, 0),), floatx())


def _cosines(*weights: float) -> Callable[[Any], Any]:
    def weigh(t: Any) -> Any:
        terms = [multiply(cosine(multiply(t, math.pi * (i + 1))), w) for i, w in enumerate(weights[1:])]
        return add(sum(terms[1:], terms[0]), weights[0])

    return weigh


def bartlett(x: Any) -> Any:
    """A triangle, from 0 up to 1 and down to 0.

    `x` is the number of points, one whole number `n`; the result is `(n,)`.

    >>> bartlett(5)
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window(x, lambda t: subtract(1.0, absolute(t)))


def hanning(x: Any) -> Any:
    """A raised cosine that reaches 0 at both ends.

    `x` is as in `bartlett`.

    >>> hanning(5)
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window(x, _cosines(0.5, 0.5))


def hamming(x: Any) -> Any:
    """A raised cosine that ends at 0.08, where its first side lobe is lowest.

    `x` is as in `bartlett`.

    >>> hamming(3)
    array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _window(x, _cosines(0.54, 0.46))


def blackman(x: Any) -> Any:
    """Two cosines: side lobes lower than those of `hanning`, for a wider main lobe.

    >>> blackman(3).round(3) + 0
    array([0., 1., 0.], dtype=float32)
    """
    return _window(x, _cosines(0.42, 0.5, 0.08))


def kaiser(x: Any, beta: float) -> Any:
    """I0(beta * sqrt(1 - t²)) / I0(beta): `beta` trades the width of the main lobe for lower side lobes.

    `x` is as in `bartlett`.

    >>> kaiser(3, 0.0)
    array([1., 1., 1.], dtype=float32)
    """
    quarter = float(beta) ** 2 / 4
    # I0(z) = Σ (z²/4)^k / k!²: its terms as shares of their sum, which are all positive and so lose no digits
    count = int(abs(float(beta)) + 30)
    logs = [k * math.log(quarter) - 2 * math.lgamma(k + 1) if quarter else -math.inf for k in range(1, count)]
    peak = max(0.0, *logs)
    terms = [math.exp(v - peak) for v in [0.0, *logs]]
    shares = [term / math.fsum(terms) for term in terms]

    def weigh(t: Any) -> Any:
        inside = kernel.expand_dims(
            kernel.maximum(subtract(1.0, multiply(t, t)), kernel.full_like(t, 0, kernel.dtype_of(t))), (1,)
        )
        powers = power(inside, kernel.arange(0, count, 1, kernel.dtype_of(t)))
        return kernel.reduce_sum(multiply(powers, kernel.convert(shares, kernel.dtype_of(t))), (1,), False)

    return _window(x, weigh)
