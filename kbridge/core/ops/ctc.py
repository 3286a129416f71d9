"""Connectionist temporal classification: loss and decoders.

Source: https://www.cs.toronto.edu/~graves/icml_2006.pdf. All in logarithms; LOW stands for the
logarithm of zero, and is finite, so that differences and gradients of it are numbers.
"""

from __future__ import annotations

from typing import Any

from kbridge.core.errors import ArgumentError, ShapeError
from kbridge.core.ops.arithmetic import add, floor_divide, maximum, mod, multiply, subtract
from kbridge.core.ops.compare import equal, greater, less, not_equal
from kbridge.core.ops.declare import kernel, op
from kbridge.core.ops.elementwise import where
from kbridge.core.tensor.dtypes import result_type
from kbridge.core.tensor.symbolic import KerasTensor

LOW = -1e30


def _check_batches(**sizes: Any) -> None:
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(set(known.values())) > 1:
        raise ShapeError(f"All inputs hold one batch; their first sizes are {known}.")


def _loss_rule(
    target: KerasTensor, output: KerasTensor, target_length: KerasTensor, output_length: KerasTensor,
    mask_index: int = 0,
) -> KerasTensor:  # fmt: skip
    if target.ndim != 2 or output.ndim != 3:
        raise ShapeError(
            f"ctc_loss takes targets (batch, labels) and outputs (batch, steps, classes); got {target.shape} and "
            f"{output.shape}."
        )
    _check_batches(
        target=target.shape[0], output=output.shape[0], target_length=target_length.shape[0],
        output_length=output_length.shape[0],
    )  # fmt: skip
    return KerasTensor((output.shape[0],), result_type(output.dtype, "float32"))


def _settled(output: Any, *whole: Any) -> tuple[Any, ...]:
    """Outputs at least in float32, lengths and labels as int32."""
    dtype = result_type(kernel.dtype_of(output), "float32")
    output = output if kernel.dtype_of(output) == dtype else kernel.cast(output, dtype)
    return output, *(each if kernel.dtype_of(each) == "int32" else kernel.cast(each, "int32") for each in whole)


@op(_loss_rule, arrays=4)
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Any:
    """-log of the probability that the outputs, blanks and repetitions left out, spell the target.

    Args:
        target: class numbers, `(batch, labels)`.
        output: logits, `(batch, steps, classes)`.
        target_length, output_length: how many labels and steps count, `(batch,)`.
        mask_index: the class that means "blank".

    Returns:
        `(batch,)`, at least float32; infinite where the steps are too few.

    Raises:
        ShapeError: the ranks or the batch sizes don't fit.

    >>> import numpy as np
    >>> ctc_loss([[1]], np.zeros((1, 2, 2)), [1], [2])
    array([0.28768207])
    """
    output, target, target_length, output_length = _settled(output, target, target_length, output_length)
    done = kernel.fused_ctc_loss(target, output, target_length, output_length, mask_index)
    return _loss(target, output, target_length, output_length, mask_index) if done is None else done


def _loss(target: Any, output: Any, target_length: Any, output_length: Any, blank: int) -> Any:
    """The probabilities of all beginnings, step by step; between the labels lie blanks, which may be skipped."""
    dtype = kernel.dtype_of(output)
    batch, labels = kernel.shape_of(target)
    steps, states = kernel.shape_of(output)[1], 2 * labels + 1
    blanks = kernel.full((batch, labels, 1), blank, "int32")
    pairs = kernel.concatenate([blanks, kernel.expand_dims(maximum(target, 0), (2,))], 2)  # some pad with -1
    end = kernel.full((batch, 1), blank, "int32")
    spelled = kernel.concatenate([kernel.reshape(pairs, (batch, 2 * labels)), end], 1)
    index = kernel.broadcast_to(kernel.expand_dims(spelled, (1,)), (batch, steps, states))
    logs = kernel.transpose(kernel.take_along_axis(kernel.log_softmax(output, 2), index, 2), (1, 0, 2))
    two_ago = kernel.concatenate([end, end, spelled], 1)[:, :-2]
    skips = kernel.logical_and(not_equal(spelled, blank), not_equal(spelled, two_ago))
    nothing = kernel.full((batch, 1), LOW, dtype)

    def step(carry: Any, now: Any) -> Any:
        (reached,), (logs, time) = carry, now
        one = kernel.concatenate([nothing, reached], 1)[:, :-1]
        two = where(skips, kernel.concatenate([nothing, one], 1)[:, :-1], LOW)
        further = kernel.add(kernel.logaddexp(kernel.logaddexp(reached, one), two), logs)
        reached = where(kernel.expand_dims(less(time, output_length), (1,)), further, reached)
        return (reached,), ()

    start = kernel.concatenate([kernel.full((batch, 1), 0.0, dtype), kernel.full((batch, 2 * labels), LOW, dtype)], 1)
    times = kernel.arange(0, steps, 1, "int32", like=output)
    (reached,), _ = kernel.scan(step, (start,), (logs, times), steps, False, 1)
    last = kernel.expand_dims(multiply(target_length, 2), (1,))
    in_blank = kernel.take_along_axis(reached, last, 1)
    in_label = where(greater(last, 0), kernel.take_along_axis(reached, maximum(subtract(last, 1), 0), 1), LOW)
    total = kernel.squeeze(kernel.logaddexp(in_blank, in_label), (1,))
    return where(less(total, LOW / 2), float("inf"), kernel.negative(total))


# --- decoders -------------------------------------------------------------------------------------


def _decode_rule(
    inputs: KerasTensor, sequence_lengths: KerasTensor, strategy: str = "greedy", beam_width: int = 100,
    top_paths: int = 1, merge_repeated: bool = True, mask_index: int | None = 0,
) -> tuple[KerasTensor, KerasTensor]:  # fmt: skip
    if inputs.ndim != 3 or sequence_lengths.ndim != 1:
        raise ShapeError(
            f"ctc_decode takes inputs (batch, steps, classes) and lengths (batch,); got {inputs.shape} and "
            f"{sequence_lengths.shape}."
        )
    _check_batches(inputs=inputs.shape[0], sequence_lengths=sequence_lengths.shape[0])
    _check_search(strategy, beam_width, top_paths)
    paths = 1 if strategy == "greedy" else top_paths
    return (
        KerasTensor((paths, *inputs.shape[:2]), "int32"),
        KerasTensor((inputs.shape[0], paths), result_type(inputs.dtype, "float32")),
    )


def _check_search(strategy: str, beam_width: int, top_paths: int) -> None:
    if strategy not in ("greedy", "beam_search"):
        raise ArgumentError(f"Invalid strategy {strategy!r}. Take 'greedy' or 'beam_search'.")
    if strategy == "beam_search" and not 1 <= top_paths <= beam_width:
        raise ArgumentError(f"A beam of {beam_width} can't give {top_paths} paths: top_paths is 1 to beam_width.")


@op(_decode_rule, arrays=2)
def ctc_decode(
    inputs: Any, sequence_lengths: Any, strategy: str = "greedy", beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = True, mask_index: int | None = 0,
) -> Any:  # fmt: skip
    """The labels that outputs most likely spell.

    Args:
        inputs: logits, `(batch, steps, classes)`.
        sequence_lengths: how many steps count, `(batch,)`.
        strategy: "greedy" takes the best class of each step; "beam_search" follows the most likely beginnings.
        beam_width: how many beginnings a beam search follows.
        top_paths: how many results it gives, best first.
        merge_repeated: whether a class in several steps on end is one label; a beam search always says yes.
        mask_index: the class that means "blank"; the last one if None.

    Returns:
        The labels, `(top_paths, batch, steps)`, filled up with -1; and for each path a score, `(batch, top_paths)`:
        minus the sum of the logits taken (greedy), or the logarithm of its probability.

    Raises:
        ArgumentError: the strategy is another, or a beam of that width can't give so many paths.
        ShapeError: the ranks or the batch sizes don't fit.

    >>> import numpy as np
    >>> labels, score = ctc_decode(np.eye(3)[None, [1, 1, 0, 2]], [4])
    >>> labels[0, 0]
    array([ 1,  2, -1, -1], dtype=int32)
    """
    _check_search(strategy, beam_width, top_paths)
    inputs, lengths = _settled(inputs, sequence_lengths)
    blank = (inputs.shape[2] - 1) if mask_index is None else mask_index % inputs.shape[2]
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, blank)
    return _search(kernel.log_softmax(inputs, 2), lengths, beam_width, top_paths, blank)


def _greedy(logits: Any, lengths: Any, merge_repeated: bool, blank: int) -> Any:
    batch, steps = kernel.shape_of(logits)[:2]
    times = kernel.arange(0, steps, 1, "int32", like=logits)
    valid = less(times, kernel.expand_dims(lengths, (1,)))
    labels = where(valid, kernel.argmax(logits, 2), blank)
    score = kernel.negative(kernel.reduce_sum(where(valid, kernel.reduce_max(logits, (2,), False), 0.0), (1,), True))
    counts = not_equal(labels, blank)
    if merge_repeated:
        before = kernel.concatenate([kernel.full((batch, 1), -1, "int32"), labels], 1)[:, :-1]
        counts = kernel.logical_and(counts, not_equal(labels, before))
    order = kernel.argsort(where(counts, times, steps), 1)
    labels = kernel.take_along_axis(where(counts, labels, -1), order, 1)
    return kernel.expand_dims(labels, (0,)), score


FACTORS = (1000003, 16777619)  # two hashes tell beginnings apart, with one chance in 2**64 to err


def _search(logs: Any, lengths: Any, width: int, paths: int, blank: int) -> Any:
    """Beam search over beginnings, kept as (labels, how many, the last one, two hashes, two probabilities).

    The probabilities are those of the beginning with a blank as the last step, and with its last label.
    """
    dtype, (batch, steps, classes) = kernel.dtype_of(logs), kernel.shape_of(logs)
    times, numbers = (kernel.arange(0, n, 1, "int32", like=logs) for n in (steps, classes))

    def step(carry: Any, now: Any) -> Any:
        now_logs, time = now
        after = _extended(carry, now_logs, numbers, times, blank)
        goes_on = less(time, lengths)
        rank = {2: kernel.expand_dims(goes_on, (1,)), 3: kernel.expand_dims(goes_on, (1, 2))}
        return tuple(where(rank[len(old.shape)], new, old) for old, new in zip(carry, after, strict=True)), ()

    none = kernel.full((batch, width), 0, "int32")
    low = kernel.full((batch, width - 1), LOW, dtype)
    certain = kernel.concatenate([kernel.full((batch, 1), 0.0, dtype), low], 1)
    start = (
        kernel.full((batch, width, steps), -1, "int32"), none, subtract(none, 1), none, none,
        certain, kernel.full((batch, width), LOW, dtype),
    )  # fmt: skip
    xs = (kernel.transpose(logs, (1, 0, 2)), times)
    (labels, *_, in_blank, in_label), _ = kernel.scan(step, start, xs, steps, False, 1)
    score, best = kernel.top_k(kernel.logaddexp(in_blank, in_label), paths, True)
    labels = kernel.transpose(_picked(labels, best), (1, 0, 2))
    return labels, where(less(score, LOW / 2), float("-inf"), score)


def _picked(x: Any, places: Any) -> Any:
    """Beams of each sample, by number."""
    if len(x.shape) == 2:
        return kernel.take_along_axis(x, places, 1)
    batch, _, steps = kernel.shape_of(x)
    wide = kernel.broadcast_to(kernel.expand_dims(places, (2,)), (batch, places.shape[1], steps))
    return kernel.take_along_axis(x, wide, 1)


def _extended(carry: Any, logs: Any, numbers: Any, times: Any, blank: int) -> Any:
    """The best beginnings after one more step: the old ones, and each with one more label."""
    labels, sizes, last, *hashes, in_blank, in_label = carry
    batch, width, _ = kernel.shape_of(labels)
    classes = kernel.shape_of(logs)[1]
    column, row = (lambda x: kernel.expand_dims(x, (2,))), (lambda x: kernel.expand_dims(x, (1,)))
    total = kernel.logaddexp(in_blank, in_label)
    emitted = kernel.take_along_axis(logs, maximum(last, 0), 1)
    stay_blank = kernel.add(total, logs[:, blank : blank + 1])
    stay_label = where(less(last, 0), LOW, kernel.add(in_label, emitted))
    again = equal(column(last), numbers)  # the same label once more takes a blank between
    grown = kernel.add(where(again, column(in_blank), column(total)), row(logs))
    grown = where(equal(numbers, blank), LOW, grown)
    # one beginning with one more label may be another one: their probabilities add up there
    alive = less(LOW / 2, total)
    joins = kernel.logical_and(kernel.logical_and(column(alive), row(alive)), equal(add(column(sizes), 1), row(sizes)))
    for each, factor in zip(hashes, FACTORS, strict=True):
        joins = kernel.logical_and(joins, equal(add(multiply(column(each), factor), row(last)), row(each)))
    towards = kernel.broadcast_to(row(maximum(last, 0)), (batch, width, width))
    joined = kernel.reduce_max(where(joins, kernel.take_along_axis(grown, towards, 2), LOW), (1,), False)
    stay_label = kernel.logaddexp(stay_label, joined)
    dtype = kernel.dtype_of(logs)
    gone = kernel.matmul(kernel.cast(joins, dtype), kernel.cast(again, dtype))
    grown = where(less(0.0, gone), LOW, grown)

    new = kernel.reshape(grown, (batch, width * classes))
    values, places = kernel.top_k(kernel.concatenate([kernel.logaddexp(stay_blank, stay_label), new], 1), width, True)
    stays = less(places, width)
    source = where(stays, places, floor_divide(subtract(places, width), classes))
    label = where(stays, -1, mod(subtract(places, width), classes))
    labels, sizes, last, *hashes, stay_blank, stay_label = (
        _picked(x, source) for x in (labels, sizes, last, *hashes, stay_blank, stay_label)
    )
    here = kernel.logical_and(column(kernel.logical_not(stays)), equal(column(sizes), times))
    return (
        where(here, column(label), labels),
        where(stays, sizes, add(sizes, 1)),
        where(stays, last, label),
        *(where(stays, each, add(multiply(each, f), label)) for each, f in zip(hashes, FACTORS, strict=True)),
        where(stays, stay_blank, LOW),
        where(stays, stay_label, values),
    )
