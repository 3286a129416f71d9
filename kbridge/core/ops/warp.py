"""Images with each pixel fetched from another place: a gather of neighbours."""

from __future__ import annotations

import itertools
from typing import Any

from kbridge.core.errors import ShapeError
from kbridge.core.ops import rules
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import add, cast, clip, minimum, multiply, subtract, where
from kbridge.core.ops.image import as_batch, as_given, bell, image_axes, in_dtype, in_single, seen
from kbridge.core.ops.random import normal
from kbridge.core.ops.resize import count_to, larger, one_of, real
from kbridge.core.tensor.symbolic import KerasTensor

ORDERS = {"nearest": 0, "bilinear": 1}
FILLS = ("constant", "nearest", "wrap", "mirror", "reflect")


def _in_range(index: Any, weight: Any, size: Any, fill_mode: str) -> tuple[Any, Any, Any]:
    """A whole-numbered position as an index, its weight, and where it is inside (None: everywhere)."""
    last = subtract(real(size), 1.0)
    if fill_mode in ("constant", "nearest"):
        held = kernel.cast(clip(index, 0.0, last), "int32")
        if fill_mode == "nearest":
            return held, weight, None
        inside = kernel.logical_and(kernel.greater_equal(index, 0), kernel.less_equal(index, last))
        return held, weight if weight is None else where(inside, weight, 0.0), inside
    index = kernel.cast(index, "int32")
    if fill_mode == "wrap":
        return kernel.mod(index, size), weight, None
    period = 2 * size if fill_mode == "reflect" else larger(2 * size - 2, 1)
    index = kernel.mod(index, period)
    return minimum(index, subtract(period - 1 if fill_mode == "reflect" else period, index)), weight, None


def _gathered(
    rows: Any, places: Any, sizes: Any, order: int, fill_mode: str, fill_value: Any, start: Any = None,
    nearest: Any = None,
) -> Any:  # fmt: skip
    """Rows of a table `(positions, channels)` at fractional places: `(*place, channels)`.

    Args:
        rows: pixels, the last of the axes that `sizes` tells moving fastest.
        places: float32, one tensor for each axis.
        order: 0 for the nearest pixel, 1 for the linear mixture of the neighbours.
        start: how many tables of these sizes lie before the one meant.
        nearest: how halves are rounded.
    """
    choices = []
    for place, size in zip(places, sizes, strict=True):
        low = (nearest or kernel.round)(place) if order == 0 else kernel.floor(place)
        around = [(low, None)]
        if order == 1:
            part = kernel.subtract(place, low)
            around = [(low, subtract(1.0, part)), (add(low, 1.0), part)]
        choices.append([_in_range(index, weight, size, fill_mode) for index, weight in around])
    result = covered = None
    for corner in itertools.product(*choices):
        at, weight, inside = start, None, None
        for (index, part, within), size in zip(corner, sizes, strict=True):
            at = index if at is None else kernel.add(multiply(at, size), index)
            weight = part if weight is None else kernel.multiply(weight, part)
            inside = within if inside is None else kernel.logical_and(inside, within)
        found = kernel.lookup(rows, at)
        if order == 0:
            return found if inside is None else where(_as_column(inside), found, cast_number(fill_value, found))
        weight = _as_column(cast(weight, kernel.dtype_of(rows)))
        part = kernel.multiply(found, weight)
        result = part if result is None else kernel.add(result, part)
        covered = weight if covered is None else kernel.add(covered, weight)
    if fill_mode != "constant" or (isinstance(fill_value, (int, float)) and fill_value == 0):
        return result
    return kernel.add(result, multiply(subtract(1.0, covered), cast_number(fill_value, result)))


def _as_column(x: Any) -> Any:
    return kernel.expand_dims(x, (len(x.shape),))


def cast_number(value: Any, like: Any) -> Any:
    """`value` in the type of a tensor."""
    return cast(kernel.convert(value), kernel.dtype_of(like))


def _coordinates_rule(
    inputs: KerasTensor, coordinates: KerasTensor, order: int, fill_mode: str = "constant", fill_value: Any = 0
) -> KerasTensor:
    one_of("order", order, (0, 1))
    one_of("fill_mode", fill_mode, FILLS)
    if coordinates.ndim < 2:
        raise ShapeError(f"`coordinates` are a stack of tensors, expected at least rank 2, got {coordinates.shape}.")
    if coordinates.shape[0] not in (None, inputs.ndim):
        raise ShapeError(
            f"The first size of `coordinates` must be the same as the rank of `inputs`, {inputs.ndim}: one tensor for "
            f"each axis. Got shape {coordinates.shape}."
        )
    return KerasTensor(coordinates.shape[1:], inputs.dtype)


@op(_coordinates_rule, arrays=2)
def map_coordinates(inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: Any = 0) -> Any:
    """The inputs at fractional positions.

    Beyond the edges, indices follow SciPy's rules, as in Keras's numpy, jax and torch backends (tensorflow's
    mirrors differently), and "wrap" has the period of the whole axis (SciPy's "grid-wrap").

    Args:
        inputs: a tensor of any rank.
        coordinates: `(rank, ...)`, a position on each axis.
        order: 0 for the nearest element (halves to the even one), 1 for the linear mixture of the neighbours.
        fill_mode: what is beyond the edges: "constant", "nearest", "wrap", "mirror" (about the middle of the
            last element) or "reflect" (about its outer edge).
        fill_value: for "constant".

    Returns:
        A tensor of shape `coordinates.shape[1:]` in the inputs' type; whole numbers are rounded.

    Raises:
        ShapeError: `coordinates` aren't as many tensors as `inputs` has axes.

    >>> map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.0, 1.75]], 1)
    array([ 5. , 10. , 17.5], dtype=float32)
    """
    dtype, sizes = kernel.dtype_of(inputs), kernel.shape_of(inputs)
    _coordinates_rule(seen(inputs), seen(coordinates), order, fill_mode)
    coordinates = in_single(coordinates)
    rows = kernel.reshape(inputs if order == 0 else in_single(inputs), (-1, 1))
    places = [kernel.get_item(coordinates, axis) for axis in range(len(sizes))]
    found = _gathered(rows, places, sizes, order, fill_mode, fill_value)
    return in_dtype(kernel.squeeze(found, (len(found.shape) - 1,)), dtype)


def _away_from_zero(x: Any) -> Any:
    """The nearest whole number, halves to the larger size: C's round."""
    return kernel.multiply(kernel.sign(x), kernel.floor(add(kernel.absolute(x), 0.5)))


def _warped(images: Any, places: Any, interpolation: str, fill_mode: str, fill_value: Any, data_format: Any) -> Any:
    """Images with each pixel fetched from another place.

    `places` gets the batch as `(batch, height, width, channels)` and gives rows and columns to fetch from.
    """
    x = as_batch(images, data_format)
    order = ORDERS[interpolation]
    batch, height, width, channels = kernel.shape_of(x)
    down, across = places(x)
    start = kernel.reshape(kernel.arange(0, batch, 1, "int32", like=x), (-1, 1, 1))
    rows = kernel.reshape(x if order == 0 else in_single(x), (-1, channels))
    y = _gathered(rows, (down, across), (height, width), order, fill_mode, fill_value, start, _away_from_zero)
    return as_given(in_dtype(y, kernel.dtype_of(images)), images, data_format)


def _projected(transform: Any) -> Any:
    """Where each pixel comes from under projections `(batch, 8)`."""

    def places(x: Any) -> tuple[Any, Any]:
        _, height, width, _ = kernel.shape_of(x)
        numbers = in_single(transform)
        a0, a1, a2, b0, b1, b2, c0, c1 = (
            kernel.reshape(part, (-1, 1, 1)) for part in kernel.split(numbers, (1,) * 8, 1)
        )
        dtype = kernel.dtype_of(numbers)
        across, down = count_to(width, x, dtype), kernel.expand_dims(count_to(height, x, dtype), (1,))

        def mixed(p: Any, q: Any, r: Any) -> Any:
            return add(add(kernel.multiply(p, across), kernel.multiply(q, down)), r)

        depth = mixed(c0, c1, 1.0)
        return kernel.divide(mixed(b0, b1, b2), depth), kernel.divide(mixed(a0, a1, a2), depth)

    return places


def _affine_rule(
    images: KerasTensor, transform: KerasTensor, interpolation: str = "bilinear", fill_mode: str = "constant",
    fill_value: Any = 0, data_format: str | None = None,
) -> KerasTensor:  # fmt: skip
    image_axes(images.shape, data_format)
    one_of("interpolation", interpolation, ORDERS)
    one_of("fill_mode", fill_mode, FILLS)
    if transform.ndim not in (1, 2) or transform.shape[-1] not in (None, 8):
        raise ShapeError(
            f"Invalid transform rank: expected rank 1, 8 numbers, or a batch of them, (batch, 8); got shape "
            f"{transform.shape}."
        )
    return rules.same(images)


@op(_affine_rule, arrays=2)
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images turned, moved, sheared or seen from another side.

    Pixel (x, y) of the result is the input at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), where
    k = c0 x + c1 y + 1. "nearest" rounds halves away from 0, as TensorFlow does; whole numbers are rounded as
    in Keras's jax and torch backends (the others cut them off); see `map_coordinates` for "wrap".

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`.
        transform: (a0, a1, a2, b0, b1, b2, c0, c1), or one for each image: `(batch, 8)`.
        interpolation: "bilinear" or "nearest".
        fill_mode, fill_value: what is beyond the edges: see `map_coordinates`.

    Raises:
        ShapeError: `transform` isn't 8 numbers, or a batch of them.

    >>> import numpy as np
    >>> affine_transform(np.array([[1.0, 2.0, 3.0]])[..., None], [1.0, 0, 1, 0, 1, 0, 0, 0])[0, :, 0]
    array([2., 3., 0.])
    """
    _affine_rule(seen(images), seen(transform), interpolation, fill_mode)
    transform = kernel.reshape(transform, (-1, 8))
    return _warped(images, _projected(transform), interpolation, fill_mode, fill_value, data_format)


def _corner_coordinates(points: Any) -> tuple[list[Any], list[Any]]:
    """x and y of each of the 4 corners: `(batch, 1)` each."""
    flat = kernel.split(kernel.reshape(in_single(points), (-1, 8)), (1,) * 8, 1)
    return flat[0::2], flat[1::2]


def _corner_shares(x: list[Any], y: list[Any]) -> list[Any]:
    """Of the last corner as a mixture of the first three: each one's share, all times the same number."""

    def area(i: int, j: int) -> Any:
        left = kernel.multiply(kernel.subtract(x[i], x[3]), kernel.subtract(y[j], y[3]))
        return kernel.subtract(left, kernel.multiply(kernel.subtract(y[i], y[3]), kernel.subtract(x[j], x[3])))

    return [area(1, 2), area(2, 0), area(0, 1)]


def _homography(start_points: Any, end_points: Any) -> Any:
    """The projections `(batch, 8)` that take the end points to the start points.

    Each quadrangle is a projective basis, as in Heckbert's "Fundamentals of Texture Mapping" (1989), 2.2.3:
    the matrix is a sum of three outer products, so no equations have to be solved.
    """
    from_x, from_y = _corner_coordinates(end_points)
    to_x, to_y = _corner_coordinates(start_points)
    shares = zip(_corner_shares(to_x, to_y), _corner_shares(from_x, from_y), strict=True)
    rows: list[Any] = [None] * 3
    for i, (share, other) in enumerate(shares):
        j, k = (i + 1) % 3, (i + 2) % 3
        twice = kernel.subtract(kernel.multiply(from_x[j], from_y[k]), kernel.multiply(from_x[k], from_y[j]))
        line = [kernel.subtract(from_y[j], from_y[k]), kernel.subtract(from_x[k], from_x[j]), twice]
        scaled = kernel.multiply(kernel.divide(share, other), kernel.concatenate(line, 1))
        parts = (kernel.multiply(to_x[i], scaled), kernel.multiply(to_y[i], scaled), scaled)
        rows = [p if row is None else kernel.add(row, p) for row, p in zip(rows, parts, strict=True)]
    matrix = kernel.concatenate(rows, 1)
    first, last = kernel.split(matrix, (8, 1), 1)
    return kernel.divide(first, last)


def _perspective_rule(
    images: KerasTensor, start_points: KerasTensor, end_points: KerasTensor, interpolation: str = "bilinear",
    fill_value: Any = 0, data_format: str | None = None,
) -> KerasTensor:  # fmt: skip
    image_axes(images.shape, data_format)
    one_of("interpolation", interpolation, ORDERS)
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        if points.ndim not in (2, 3) or points.shape[-2] not in (None, 4) or points.shape[-1] not in (None, 2):
            raise ShapeError(f"Invalid {name} shape: expected 4 corners, (4, 2) or (batch, 4, 2); got {points.shape}.")
    if start_points.ndim != end_points.ndim:
        raise ShapeError(f"Both kinds of points need one shape, got {start_points.shape} and {end_points.shape}.")
    return rules.same(images)


@op(_perspective_rule, arrays=3)
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: Any = 0,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images seen from another side, so that four points go from where they are to where they should be.

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`.
        start_points: four corners (x, y) in the images: `(4, 2)`, or `(batch, 4, 2)`.
        end_points: where they are in the result; no three of them on one line.
        interpolation: "bilinear" or "nearest".
        fill_value: what is beyond the edges.

    Raises:
        ShapeError: the points aren't 4 corners each.

    >>> import numpy as np
    >>> corners = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    >>> perspective_transform(np.array([[1.0, 2.0, 3.0]])[..., None], corners, corners + [1, 0])[0, :, 0]
    array([0., 1., 2.])
    """
    _perspective_rule(seen(images), seen(start_points), seen(end_points), interpolation, fill_value, data_format)
    transform = _homography(start_points, end_points)
    return _warped(images, _projected(transform), interpolation, "constant", fill_value, data_format)


def _elastic_rule(
    images: KerasTensor, alpha: Any = 20.0, sigma: Any = 5.0, interpolation: str = "bilinear",
    fill_mode: str = "reflect", fill_value: Any = 0.0, seed: Any = None, data_format: str | None = None,
) -> KerasTensor:  # fmt: skip
    image_axes(images.shape, data_format)
    one_of("interpolation", interpolation, ORDERS)
    one_of("fill_mode", fill_mode, FILLS)
    return rules.same(images)


@op(_elastic_rule)
def elastic_transform(
    images: Any, alpha: Any = 20.0, sigma: Any = 5.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
    fill_value: Any = 0.0, seed: Any = None, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Images bent at random: each pixel is fetched from a place nearby (https://doi.org/10.1109/ICDAR.2003.1227801).

    The ways down and across are drawn apart (in Keras's tensorflow and jax backends they are the same numbers).

    Args:
        images: `(height, width, channels)` or a batch, in the layout of `data_format`.
        alpha: how far pixels move.
        sigma: how smoothly: the width of the curve that the moves are blurred with.
        interpolation: "bilinear" or "nearest".
        fill_mode, fill_value: what is beyond the edges: see `map_coordinates`.
        seed: a number or a `SeedGenerator`.

    >>> import numpy as np
    >>> elastic_transform(np.ones((8, 8, 3)), seed=1).shape
    (8, 8, 3)
    """
    _elastic_rule(seen(images), alpha, sigma, interpolation, fill_mode)

    def places(x: Any) -> list[Any]:
        batch, height, width, _ = kernel.shape_of(x)
        moves = kernel.cast(normal((batch, height, width, 2), seed=seed), "float32")
        if isinstance(sigma, (int, float)) or not kernel.is_tracing():
            window = int(6 * sigma) | 1
        else:  # a value that isn't there yet: all the window could cover
            window = 2 * max(height, width) - 1
        curve = bell(window, sigma, moves)
        moves = multiply(kernel.blur(multiply(moves, sigma), curve, curve, "same"), alpha)
        grid = (kernel.expand_dims(count_to(height, x), (1,)), count_to(width, x))
        return [
            kernel.add(kernel.squeeze(move, (3,)), count)
            for move, count in zip(kernel.split(moves, (1, 1), 3), grid, strict=True)
        ]

    return _warped(images, places, interpolation, fill_mode, fill_value, data_format)
