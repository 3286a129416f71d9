"""The demo's picture: what each runtime says about a few digits, and how far it is from the model."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

INK, FAINT, RIGHT, WRONG = "#1f2430", "#c9ced8", "#2a78b8", "#d9552c"
RUNTIME_COLORS = ("#2a78b8", "#d9552c", "#2e9e6b", "#8a5bc4", "#c79a1b", "#b0417f", "#4b5563")
SURENESS = (0.999, 0.98, 0.9, 0.75, 0.6, 0.5)  # probabilities of the digits that are shown
FLOOR, CEILING = 1e-9, 1e-5  # the ends of the differences' axis; what is less is drawn at its start
STEP = 2**-23  # between 1 and the next float32


def draw(path: Path, images: np.ndarray, labels: np.ndarray, predictions: dict[str, np.ndarray]) -> None:
    """Draw a row for each of six digits: the image, the runtimes' probabilities, the differences.

    Args:
        path: the PNG file to write.
        images: `(n, 8, 8, 1)`.
        labels: `(n,)`, what they show.
        predictions: probabilities `(n, 10)` by runtime, the model's own first.
    """
    source = next(iter(predictions.values()))
    rows = telling(source, labels)
    figure, axes = plt.subplots(
        len(rows), len(predictions) + 2, figsize=(1.9 * len(predictions) + 5.2, 1.5 * len(rows) + 1.3), squeeze=False,
        gridspec_kw={"width_ratios": [1.0, *[1.25] * len(predictions), 2.4]},
    )  # fmt: skip
    for cells, row in zip(axes, rows, strict=True):
        _image(cells[0], images[row], labels[row])
        for cell, probabilities in zip(cells[1:], predictions.values(), strict=False):
            _bars(cell, probabilities[row], labels[row])
        _differences(
            cells[-1], {name: each[row] - source[row] for name, each in predictions.items() if each is not source}
        )
    _titles(figure, axes, list(predictions), source, labels)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def telling(source: np.ndarray, labels: np.ndarray) -> list[int]:
    """Digits worth looking at, from surely to hardly read, and one that is misread if there is one."""
    sure, right = source.max(axis=-1), source.argmax(axis=-1) == labels
    chosen: list[int] = []
    for wanted in SURENESS:
        fresh = right & ~np.isin(labels, labels[chosen])
        chosen.append(int(np.argmin(np.where(fresh, np.abs(sure - wanted), np.inf))))
    if right.all():
        return chosen
    return [*chosen[:-1], int(np.argmin(np.where(right, np.inf, sure)))]


def _image(axes: Axes, image: np.ndarray, label: int) -> None:
    axes.imshow(image[..., 0], cmap="gray_r", interpolation="nearest")
    axes.set_xticks([]), axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color(FAINT)
    axes.set_ylabel(str(label), rotation=0, fontsize=20, color=INK, labelpad=14, va="center")


def _bars(axes: Axes, probabilities: np.ndarray, label: int) -> None:
    chosen = int(probabilities.argmax())
    colors = [FAINT] * 10
    colors[chosen] = RIGHT if chosen == label else WRONG
    axes.bar(range(10), probabilities, color=colors, width=0.8)
    axes.set(xlim=(-0.6, 9.6), ylim=(0, 1.18), yticks=[])
    axes.set_xticks(range(10), labels=[str(i) for i in range(10)], fontsize=7, color="#6b7280")
    axes.tick_params(length=0, pad=1)
    axes.text(
        chosen, probabilities[chosen] + 0.03, f"{probabilities[chosen]:.3f}", ha="center", fontsize=7.5, color=INK
    )
    for name, side in axes.spines.items():
        side.set_visible(name == "bottom")
        side.set_color(FAINT)


def _differences(axes: Axes, differences: dict[str, np.ndarray]) -> None:
    for place, (difference, color) in enumerate(zip(differences.values(), RUNTIME_COLORS, strict=False)):
        size = np.abs(difference)
        axes.hlines(place, FLOOR, max(size.max(), FLOOR), color=color, alpha=0.35, linewidth=2)
        axes.plot(np.maximum(size, FLOOR), [place] * len(size), "o", color=color, alpha=0.35, markersize=3.5, mew=0)
        axes.plot(max(size.max(), FLOOR), place, "o", color=color, markersize=6.5, mew=0)
    axes.axvline(STEP, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), alpha=0.6)
    axes.set(xscale="log", xlim=(FLOOR / 1.4, CEILING), ylim=(len(differences) - 0.4, -0.6))
    axes.set_yticks(range(len(differences)), labels=list(differences), fontsize=7.5, color=INK)
    axes.yaxis.tick_right()
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", length=0, labelsize=7, labelcolor="#6b7280", pad=1)
    axes.grid(axis="x", color="#eceef2", linewidth=0.8)
    axes.set_axisbelow(True)
    for name, side in axes.spines.items():
        side.set_visible(name == "bottom")
        side.set_color(FAINT)


def _titles(figure: plt.Figure, axes: np.ndarray, names: list[str], source: np.ndarray, labels: np.ndarray) -> None:
    for cell, name in zip(axes[0][1:], names, strict=False):
        cell.set_title(name, fontsize=10, color=INK, pad=8, fontweight="bold" if name == names[0] else "normal")
    axes[0][-1].set_title(f"|difference| to {names[0]}", fontsize=10, color=INK, pad=8)
    right = np.mean(source.argmax(axis=-1) == labels)
    figure.suptitle(
        f"One model in {len(names)} runtimes: {right:.1%} of {len(labels)} unseen digits recognised",
        x=0.012, y=0.98, va="top", ha="left", fontsize=15, color=INK, fontweight="bold",
    )  # fmt: skip
    figure.text(
        0.012, 0.935, "Bars: probability of each digit, the largest one in blue if right and in orange if wrong. "
        "Last column: a dot for each class, a large one for the largest difference; "
        "at the left edge, at most 10⁻⁹; dashed, one step of float32 at 1.",
        fontsize=9.5, color="#6b7280", va="top",
    )  # fmt: skip
    figure.subplots_adjust(left=0.03, right=0.925, top=0.86, bottom=0.03, wspace=0.14, hspace=0.34)
