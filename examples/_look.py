"""What the scripts of the tour share: their arguments, their colours, and real Keras.

Nothing here is about neural networks.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import textwrap
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

# Okabe and Ito's colours: told apart by colour-blind eyes as well.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
INK, GREY, PAPER = "#1F2933", "#8A94A0", "#FFFFFF"
CLASSES = (BLUE, ORANGE)  # class 0, class 1

# From "surely class 0" to "surely class 1"; white is "I cannot tell".
SURFACE = LinearSegmentedColormap.from_list(
    "surface", ["#83BBDD", "#BEDCED", "#FBFBFB", "#F7D3B9", "#EFAC7E"]
)

LOOK = {
    "figure.facecolor": PAPER,
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "font.size": 11,
    "text.color": INK,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
}


class Story:
    """One script's run: it tells a story, and keeps its pictures.

    Args:
        script: the docstring of the script; its first line is the story's title.
    """

    def __init__(self, script: str) -> None:
        title = script.strip().splitlines()[0]
        parser = argparse.ArgumentParser(description=title)
        parser.add_argument(
            "--out",
            type=Path,
            default=Path("runs/examples"),
            help="where the pictures go (default: runs/examples)",
        )
        parser.add_argument(
            "--show", action="store_true", help="open the pictures in windows, too"
        )
        arguments = parser.parse_args()
        self.out: Path = arguments.out
        self.show: bool = arguments.show
        self.out.mkdir(parents=True, exist_ok=True)
        if not self.show:
            mpl.use("Agg")  # draws into files, so it works without a screen
        plt.rcParams.update(LOOK)
        one_thread()
        print(f"{title}\n{'=' * len(title)}")

    def chapter(self, title: str) -> None:
        """A heading."""
        print(f"\n{title}\n{'-' * len(title)}")

    def quote(self, text: str) -> None:
        """What the library said, in lines of readable length."""
        print(textwrap.indent(textwrap.fill(f'"{text}"', width=78), "    "))

    def keep(self, figure: Any, name: str) -> None:
        """Write a picture into the output folder, and say so."""
        path = self.out / name
        figure.savefig(path)
        print(f"\nPicture: {path}")

    def end(self) -> None:
        """Open the windows, if they were asked for."""
        if self.show:
            plt.show()


def one_thread() -> None:
    """Multiply matrices on one core: for such small ones, several mostly wait."""
    with contextlib.suppress(ImportError):  # it comes with scikit-learn
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)


def real_keras() -> ModuleType | None:
    """Real Keras, for a comparison; or None, and one line that says why."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own inside
            import keras
    except ImportError as error:
        print(f"Real Keras is not installed, so nothing is compared with it ({error}).")
        return None
    return keras


def scatter(axes: Any, points: Any, labels: Any, size: float = 40) -> None:
    """Points of two classes: blue circles are class 0, orange squares class 1."""
    for label, marker in ((0, "o"), (1, "s")):
        chosen = points[labels == label]
        axes.scatter(
            *chosen.T[:2],
            s=size,
            marker=marker,
            color=CLASSES[label],
            edgecolor="white",
            linewidth=0.8,
            zorder=3,
            label=f"class {label}",
        )


# ------------------------------------------------------------------ a drawn network


def draw_edge(
    axes: Any,
    start: tuple[float, float],
    end: tuple[float, float],
    w: float,
    dw: float,
    where: float,
) -> None:
    """A line as thick as its weight is large; the weight above it, its gradient below.

    `where` is how far along the line the numbers stand, from 0 to 1.
    """
    (x0, y0), (x1, y1) = start, end
    colour = BLUE if w > 0 else GREY
    axes.plot([x0, x1], [y0, y1], color=colour, lw=1 + 5 * abs(w), alpha=0.3, zorder=1)
    along = np.array([x1 - x0, y1 - y0]) / np.hypot(x1 - x0, y1 - y0)
    across = np.array([-along[1], along[0]])
    middle = np.array([x0 + where * (x1 - x0), y0 + where * (y1 - y0)])
    for text, ink, side in ((f"{w:+.2f}", INK, 1), (f"{dw:+.4f}", ORANGE, -1)):
        axes.text(
            *(middle + 0.19 * side * across),
            text,
            color=ink,
            fontsize=11.5,
            ha="center",
            va="center",
            rotation=np.degrees(np.arctan2(along[1], along[0])),
            rotation_mode="anchor",
            zorder=2,
        )


def draw_neuron(
    axes: Any,
    place: tuple[float, float],
    name: str,
    value: float,
    gradient: float,
    bias: tuple[float, float] | None = None,
) -> None:
    """A circle with its value and its gradient; its bias and that one's below."""
    axes.add_patch(plt.Circle(place, 0.6, facecolor=PAPER, edgecolor=INK, zorder=3))
    rows = [
        (0.3, name, GREY, 11, "center"),
        (0.0, f"{value:+.3f}", INK, 14, "center"),
        (-0.3, f"{gradient:+.4f}", ORANGE, 11.5, "center"),
    ]
    if bias is not None:
        rows.append((-0.8, f"bias {bias[0]:+.2f} ", INK, 10.5, "right"))
        rows.append((-0.8, f" {bias[1]:+.4f}", ORANGE, 10.5, "left"))
    for height, text, ink, size, side in rows:
        axes.text(
            place[0],
            place[1] + height,
            text,
            color=ink,
            fontsize=size,
            ha=side,
            va="center",
            zorder=4,
        )
