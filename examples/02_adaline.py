"""Adaline and its learning rate: too small, right, overshooting

Adaline (Widrow and Hoff, 1960) is one neuron whose answer is a number, z = x w + b.
How wrong it is, is a number too: the cost J, half the sum of the squared errors. J is a
bowl over all possible w and b, and learning is walking down into it. The learning rate
eta says how long the steps are.
"""

import warnings

import numpy as np
from _look import BLUE, GREEN, GREY, INK, ORANGE, Story, plt, real_keras

import deepneuron as dn
from deepneuron.estimators import Adaline

story = Story(__doc__)

# One input, two classes: is it a short (-1) or a tall (+1) one?
random = np.random.default_rng(0)
short, tall = random.normal(0.2, 0.35, 10), random.normal(1.4, 0.35, 10)
x = np.concatenate([short, tall])  # (20,)
y = np.repeat([-1.0, 1.0], 10)  # (20,)


def cost(w, b):
    """J(w, b) = 1/2 sum over examples of (y - z)^2"""
    z = x * w + b  # (20,)
    return 0.5 * np.sum((y - z) ** 2)


def descend(eta, epochs):
    """Go against the gradient of J, so many times; returns w, b and J of every step."""
    w, b = 0.0, 0.0
    path = [(w, b, cost(w, b))]
    for _ in range(epochs):
        error = y - (x * w + b)  # (20,)
        # dJ/dw = -sum(error x), and dJ/db = -sum(error): so minus eta times that is
        w, b = w + eta * np.sum(error * x), b + eta * np.sum(error)
        path.append((w, b, cost(w, b)))
    return np.array(path)  # (epochs + 1, 3)


# How long may a step be? Across the valley, where it is steepest, J is a parabola of
# curvature L, the largest eigenvalue of its second derivatives. With eta = 1 / L a step
# ends at the bottom of that parabola, with 2 / L as high as it began but on the other
# side, and with more it ends higher: then the next step is even longer.
curvatures = np.array([[np.sum(x * x), np.sum(x)], [np.sum(x), len(x)]])
L = np.linalg.eigvalsh(curvatures)[-1]
runs = {  # name: (eta, colour)
    "too small": (0.03 / L, BLUE),
    "right": (1.0 / L, GREEN),
    "overshooting": (2.1 / L, ORANGE),
}
epochs = 30
paths = {name: descend(eta, epochs) for name, (eta, _) in runs.items()}

# For one linear neuron the bottom of the bowl can be computed at once: least squares.
best_w, best_b = np.linalg.lstsq(np.column_stack([x, np.ones(20)]), y, rcond=None)[0]
lowest = cost(best_w, best_b)

story.chapter("1. Three learning rates, 30 steps each")
print(f"The lowest possible cost of these data is J = {lowest:.3f}.")
print(f"Steps are safe below eta = 2 / L = {2 / L:.4f}; L is how strongly J bends.\n")
print("                 eta   J at first   after 5 steps   after 30")
for name, (eta, _) in runs.items():
    J = paths[name][:, 2]
    print(f"  {name:13s}{eta:.5f} {J[0]:10.3f} {J[5]:13.3f} {J[30]:12.3f}")
print("\ntoo small:     every step goes down, but so little that it does not arrive.")
print("right:         large steps down at first; then along the valley to the bottom.")
print("overshooting:  each step jumps across the valley, wider than the one before. At")
print("               first J still falls, along the valley; then it explodes.")

# ---------------------------------------------------------------- the library
story.chapter("2. The same with deepneuron's Adaline, and with a Keras layer")
for name, (eta, _) in runs.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        neuron = Adaline(eta=eta, max_iter=epochs, tol=None).fit(x[:, None], y)
    # cost_ is J after each epoch. Adaline stops at once when J grows.
    np.testing.assert_allclose(neuron.cost_, paths[name][1 : neuron.n_iter_ + 1, 2])
    print(f"Adaline, {name}: the same costs, in {neuron.n_iter_} epochs.")
    for warning in caught:
        print("  It warns:")
        story.quote(warning.message)


def train_dense(keras, loss, eta):
    """Adaline is a Dense layer with one unit and no activation, trained by SGD."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(eta), loss)
    # All examples in one batch: a step is an epoch. Each loss is J *before* its step.
    history = model.fit(x[:, None], y[:, None], batch_size=20, epochs=epochs, verbose=0)
    return np.array(history.history["loss"])


eta = runs["right"][0]
losses = train_dense(dn, dn.losses.SumOfSquaredErrors(), eta)
np.testing.assert_allclose(losses, paths["right"][:-1, 2], rtol=1e-4)
print("deepneuron's Dense(1) with SGD and SumOfSquaredErrors: the same costs.")

keras = real_keras()
if keras:
    # Keras has no 1/2 in its squared error: so half of its loss, at half of eta.
    squares = keras.losses.MeanSquaredError(reduction="sum")
    losses = 0.5 * train_dense(keras, squares, 0.5 * eta)
    np.testing.assert_allclose(losses, paths["right"][:-1, 2], rtol=1e-4)
    print("Real Keras, Dense(1) with SGD: the same costs.")

# ---------------------------------------------------------------- the picture
ws, bs = np.meshgrid(np.linspace(-1.2, 3.6, 150), np.linspace(-3.3, 1.8, 150))
bowl = 0.5 * np.sum((y - (ws[..., None] * x + bs[..., None])) ** 2, axis=-1)

figure, grid = plt.subplots(2, 3, figsize=(14, 8.4), layout="constrained")
for (curve, plane), (name, (eta, colour)) in zip(grid.T, runs.items(), strict=True):
    w, b, J = paths[name].T
    curve.plot(J, "o-", color=colour, markersize=4)
    curve.axhline(lowest, color=GREY, lw=1.2, ls="--")
    curve.set(title=f"{name}: eta = {eta:.4f}", xlabel="step", ylabel="J(w, b)")
    curve.set_ylim(0, max(15, 1.1 * J.max()))

    plane.contour(
        ws,
        bs,
        bowl,
        lowest + np.geomspace(0.15, 150, 14),
        colors=GREY,
        linewidths=0.8,
        alpha=0.7,
    )
    plane.plot(w, b, "o-", color=colour, markersize=4, lw=1.4)
    plane.plot(best_w, best_b, "*", color=INK, markersize=13, zorder=4)
    plane.plot(0, 0, "o", color=INK, markersize=6, zorder=4)
    plane.set(xlabel="w", ylabel="b", xlim=(-1.2, 3.6), ylim=(-3.3, 1.8))
    plane.set_title("its path on the bowl of J, from above", weight="normal")
    plane.annotate("start", (0, 0), (-0.15, 0.25), ha="right")
    plane.annotate("bottom", (best_w, best_b), (best_w + 0.2, best_b), va="center")
grid[0, 0].annotate("the lowest J", (0, lowest), (0.3, lowest + 0.3), color=GREY)
story.keep(figure, "02_adaline.png")
story.end()
