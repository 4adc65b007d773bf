"""Draw docs/images/overview.png: one step of a real training run, seen through.

    python tools/draw_overview.py

A network with four hidden neurons learns to separate two moons. Training is stopped on
the way; one example goes through the network, and every value and gradient that belongs
to it is written where it lives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import deepneuron as dn
from deepneuron import ops

mpl.use("Agg")

from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyBboxPatch

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "overview.png"
WIDTH, HEIGHT = 1600, 900
STEPS, SEEN = 300, 190  # steps of the run; the step that is drawn

# Colours that colour-blind eyes tell apart.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#00805D"
INK, GREY, LINE = "#1F2933", "#6B7682", "#C5CCD3"
SURFACE = LinearSegmentedColormap.from_list(
    "surface", ["#83BBDD", "#BEDCED", "#FBFBFB", "#F7D3B9", "#EFAC7E"]
)

# Centres in pixels, from the top left.
INPUTS = [(175, 355), (175, 645)]
HIDDEN = [(650, 245), (650, 415), (650, 585), (650, 755)]
OUTPUT = (1250, 385)
SIZE = {"input": 112, "hidden": 112, "output": 400}
# How far along its edge a label stands: where no other edge crosses.
ALONG = [[0.5, 0.42, 0.8, 0.8], [0.8, 0.8, 0.42, 0.5]]


# ------------------------------------------------------------------ the run


def moons() -> tuple[np.ndarray, np.ndarray]:
    """Two crescents that reach into each other: x (200, 2), y (200, 1)."""
    random = np.random.default_rng(0)
    angle = np.pi * random.random(200)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])[:100]
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])[100:]
    x = np.concatenate([upper, lower]) + random.normal(0, 0.1, (200, 2))
    x = (x - x.mean(axis=0)).astype("float32")
    return x, np.repeat(np.array([[0], [1]], "float32"), 100, axis=0)


def loss_of(y: Any, target: Any) -> Any:
    """The mean of -log(the probability that the right class was given)."""
    return ops.mean(ops.binary_crossentropy(target, y))


def run() -> dict[str, Any]:
    """Train, and keep the losses and a snapshot of step `SEEN`."""
    dn.utils.set_random_seed(3)
    x, target = moons()
    hidden = dn.layers.Dense(4, activation="tanh")
    output = dn.layers.Dense(1, activation="sigmoid")
    model = dn.Sequential([dn.Input((2,)), hidden, output])
    model.compile(dn.optimizers.Adam(0.05), "binary_crossentropy")
    losses, seen = [], {}
    for step in range(STEPS):
        if step == SEEN:
            y = model.predict(x, verbose=0)
            # The example that it finds hardest: there is most to learn from it.
            hardest = int(np.argmax(np.abs(y - target)))
            seen = snapshot(hidden, output, x[[hardest]], target[[hardest]])
            seen |= {"surfaces": surfaces(hidden, output)}
            seen |= {"accuracy": np.mean((y > 0.5) == (target == 1))}
        losses.append(float(np.squeeze(model.train_on_batch(x, target))))
    return {"x": x, "target": target, "losses": losses, **seen}


def snapshot(hidden: Any, output: Any, x: np.ndarray, target: np.ndarray) -> dict:
    """One example's values and gradients, as deepneuron computes them."""
    with dn.recording():
        h = hidden(x)  # (1, 4)
        y = output(h)  # (1, 1)
        loss = loss_of(y, target)
        wrt = [hidden.kernel, output.kernel, h, y]
        dw1, dw2, dh, dy = dn.gradients(loss, wrt)
    return {
        "example": x[0],
        "answer": target[0, 0],
        "h": np.asarray(h)[0],
        "dh": np.asarray(dh)[0],
        "y": float(np.asarray(y)[0, 0]),
        "dy": float(np.asarray(dy)[0, 0]),
        "loss": float(np.asarray(loss)),
        "w1": hidden.kernel.numpy(),
        "dw1": np.asarray(dw1),
        "w2": output.kernel.numpy()[:, 0],
        "dw2": np.asarray(dw2)[:, 0],
    }


def surfaces(hidden: Any, output: Any) -> dict[str, np.ndarray]:
    """What each neuron says at every place of the plane."""
    ticks = np.linspace(-2.1, 2.1, 161, dtype="float32")
    across, up = np.meshgrid(ticks, ticks)
    points = np.column_stack([across.ravel(), up.ravel()])
    h = hidden(points)
    return {
        "ticks": ticks,
        "x": np.stack([across, up]) / 2.1,
        "h": np.asarray(h).T.reshape(4, 161, 161),
        "y": 2 * np.asarray(output(h)).reshape(161, 161) - 1,  # from -1 to 1, too
    }


# ------------------------------------------------------------------ the picture


def write(
    axes: Any, x: float, y: float, text: str, color: str = INK, **style: Any
) -> None:
    """Text with a white halo, so that it can be read on lines."""
    halo = [patheffects.withStroke(linewidth=4, foreground="white")]
    style = {"fontsize": 13, "ha": "center", "va": "center", "zorder": 5, **style}
    axes.text(x, y, text, color=color, path_effects=halo, **style)


def signed(gradient: float) -> str:
    """Three decimals and a sign, but none for what rounds to zero."""
    return f"{gradient:+.3f}".replace("-0.000", "0.000").replace("+0.000", "0.000")


def edge(axes: Any, start: Any, end: Any, w: float, dw: float, where: float) -> None:
    """A line as thick as its weight; the weight above it and the gradient below."""
    (x0, y0), (x1, y1) = start, end
    colour = "#8FC1DF" if w > 0 else LINE
    axes.plot([x0, x1], [y0, y1], color=colour, lw=1.2 + 2.4 * abs(w), zorder=1)
    x, y = x0 + where * (x1 - x0), y0 + where * (y1 - y0)
    angle = np.arctan2(y1 - y0, x1 - x0)
    for text, ink, side in ((f"{w:+.2f}", INK, -1), (signed(dw), ORANGE, 1)):
        apart = side * (14 + 1.5 * abs(w))  # pixels
        across = (-apart * np.sin(angle), apart * np.cos(angle))
        write(
            axes,
            x + across[0],
            y + across[1],
            text,
            ink,
            rotation=-np.degrees(angle),
            rotation_mode="anchor",
        )


def tile(figure: Any, centre: Any, size: int, values: Any, ticks: Any) -> Any:
    """A neuron, drawn as what it says at every place of the plane."""
    left, top = centre[0] - size / 2, centre[1] - size / 2
    box = (left / WIDTH, 1 - (top + size) / HEIGHT, size / WIDTH, size / HEIGHT)
    axes = figure.add_axes(box, zorder=6)
    shades = np.linspace(-1, 1, 29)
    axes.contourf(ticks, ticks, values, shades, cmap=SURFACE, antialiased=False)
    axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    axes.contour(ticks, ticks, values, [0], colors=INK, linewidths=1.6)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=1.4)
    return axes


def network(figure: Any, page: Any, seen: dict[str, Any]) -> None:
    """The four columns: inputs, hidden neurons, and the output's surface."""
    grids, ticks = seen["surfaces"], seen["surfaces"]["ticks"]
    half = SIZE["input"] / 2
    end = (OUTPUT[0] - SIZE["output"] / 2, OUTPUT[1])
    for i, (x, y) in enumerate(INPUTS):
        for j, (hx, hy) in enumerate(HIDDEN):
            start, stop = (x + half, y), (hx - half, hy)
            w, dw = seen["w1"][i, j], seen["dw1"][i, j]
            edge(page, start, stop, w, dw, ALONG[i][j])
        mark(tile(figure, (x, y), SIZE["input"], grids["x"][i], ticks), seen, 7)
        write(page, x, y - 73, f"input x{i + 1}", GREY)
        write(page, x, y + 76, f"{seen['example'][i]:+.2f}", fontsize=16)
    for j, (x, y) in enumerate(HIDDEN):
        edge(page, (x + half, y), end, seen["w2"][j], seen["dw2"][j], 0.42)
        mark(tile(figure, (x, y), SIZE["hidden"], grids["h"][j], ticks), seen, 7)
        write(page, x - 6, y + 73, f"{seen['h'][j]:+.2f}", ha="right", fontsize=14)
        write(page, x + 6, y + 73, signed(seen["dh"][j]), ORANGE, ha="left")
    axes = tile(figure, OUTPUT, SIZE["output"], grids["y"], ticks)
    for label, colour, marker in ((0, BLUE, "o"), (1, ORANGE, "s")):
        points = seen["x"][seen["target"][:, 0] == label]
        axes.scatter(
            *points.T, s=34, marker=marker, color=colour, edgecolor="white", lw=0.7
        )
    mark(axes, seen, 19)


def mark(axes: Any, seen: dict[str, Any], size: float) -> None:
    """The example that is on its way through the network."""
    axes.plot(*seen["example"], "*", color="#FFD23F", mec=INK, ms=size + 3, mew=1.1)


def curve(figure: Any, seen: dict[str, Any]) -> None:
    """The loss of every step, and where we are."""
    left, top, width, height = 1050, 690, 400, 115
    box = (left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT)
    axes = figure.add_axes(box, zorder=6)
    losses = seen["losses"]
    axes.patch.set_alpha(0)
    axes.plot(losses, color=GREEN, lw=2.4)
    axes.plot(SEEN, losses[SEEN], "*", color="#FFD23F", mec=INK, ms=18, mew=1.1)
    axes.set(xlim=(-4, STEPS), ylim=(0, None), xlabel="step", ylabel="loss")
    axes.tick_params(colors=GREY, labelsize=11)
    axes.xaxis.label.set(color=GREY, fontsize=13)
    axes.yaxis.label.set(color=GREY, fontsize=13)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)


def main() -> None:
    """Run, draw, write."""
    seen = run()
    figure = plt.figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    figure.patch.set_alpha(0)  # the page, light or dark, shows at the round corners
    page = figure.add_axes((0, 0, 1, 1))
    page.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    page.axis("off")
    card = FancyBboxPatch(
        (8, 8), WIDTH - 16, HEIGHT - 16, boxstyle="round,pad=0,rounding_size=26",
        facecolor="white", edgecolor=LINE, linewidth=1.5, zorder=0,
    )  # fmt: skip
    page.add_patch(card)

    title = f"One example on its way through a network, in step {SEEN} of its training"
    write(page, 64, 78, title, fontsize=22, weight="bold", ha="left")
    for x, text, ink in (
        (64, "black: values, forward", INK),
        (300, "orange: gradients dloss/dv, backward", ORANGE),
        (690, "blue lines: weights above zero, grey: below", GREY),
    ):
        write(page, x, 118, text, ink, fontsize=14, ha="left")
    write(page, HIDDEN[0][0], 166, "what each hidden neuron sees", GREY, fontsize=14)
    write(page, OUTPUT[0], 166, "what the network answers", GREY, fontsize=14)
    network(figure, page, seen)
    left, right = OUTPUT[0] - SIZE["output"] / 2, OUTPUT[0] + SIZE["output"] / 2
    said = f"y = {seen['y']:.3f}, should be {seen['answer']:.0f}"
    write(page, left, 610, said, fontsize=15, ha="left")
    write(page, left, 638, f"loss = {seen['loss']:.3f}", fontsize=15, ha="left")
    write(
        page,
        right,
        638,
        f"dloss/dy = {signed(seen['dy'])}",
        ORANGE,
        fontsize=15,
        ha="right",
    )
    where = f"{seen['accuracy']:.0%} of all examples are right"
    write(page, right, 680, where, GREY, fontsize=14, ha="right")
    curve(figure, seen)

    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, transparent=False)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
