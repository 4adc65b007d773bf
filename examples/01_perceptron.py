"""The perceptron: one neuron that learns from its mistakes

Rosenblatt's rule (1958): show the neuron an example. If its answer is right, do
nothing. If it is wrong, move its line towards giving the right answer. When a straight
line can separate the two classes, this finds one. When none can (XOR), it never rests.
"""

import warnings

import numpy as np
from _look import BLUE, GREY, INK, ORANGE, Story, plt, scatter

from deepneuron.estimators import Perceptron

story = Story(__doc__)


def rosenblatt(x, y, epochs):
    """Learn; returns (w, b) after every update, and the mistakes in every epoch.

    An epoch is one pass over all examples.
    """
    w, b = np.zeros(2), 0.0  # the line is where x @ w + b = 0; at first there is none
    lines, mistakes = [], []
    for _ in range(epochs):
        mistakes.append(0)
        for example, target in zip(x, y, strict=True):
            answer = 1 if example @ w + b > 0 else 0
            error = target - answer  # 0: right; +1: it said too little; -1: too much
            if error != 0:
                w = w + error * example  # turns the line
                b = b + error  # shifts it
                lines.append((w, b))
                mistakes[-1] += 1
        if mistakes[-1] == 0:
            break  # it knows everything it was shown
    return lines, mistakes


# ---------------------------------------------------------------- what it can do
random = np.random.default_rng(42)
cloud_0 = random.normal([-0.8, -0.4], 0.7, (25, 2))
cloud_1 = random.normal([1.4, 1.2], 0.7, (25, 2))
x = np.concatenate([cloud_0, cloud_1])  # (50, 2)
y = np.repeat([0, 1], 25)  # (50,)
order = random.permutation(50)
x, y = x[order], y[order]
lines, mistakes = rosenblatt(x, y, epochs=100)
w, b = lines[-1]
assert mistakes[-1] == 0

story.chapter("1. Two classes that a line can separate")
print("The neuron says class 1 where x1 w1 + x2 w2 + b > 0, so its border is a line.")
print("It begins with all weights at zero, and changes them only when it is wrong:")
for number, (w_then, b_then) in enumerate(lines, start=1):
    print(
        f"  update {number:2d}: the line is now "
        f"{w_then[0]:+.2f} x1 {w_then[1]:+.2f} x2 {b_then:+.0f} = 0"
    )
print(f"Mistakes in each epoch: {mistakes}. In the last there is none, so it stops.")

# The library's perceptron does the same.
neuron = Perceptron(shuffle=False).fit(x, y)
np.testing.assert_allclose(neuron.w_, w)
assert neuron.b_ == b
assert neuron.cost_ == mistakes
print("deepneuron.estimators.Perceptron ends with exactly the same line.")

# ---------------------------------------------------------------- what it cannot do
x_xor = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # (4, 2)
y_xor = np.array([0, 1, 1, 0])  # class 1 if exactly one input is 1
xor_lines, xor_mistakes = rosenblatt(x_xor, y_xor, epochs=12)

story.chapter("2. XOR, which no line can separate")
print("Class 1 is (0, 1) and (1, 0), class 0 is (0, 0) and (1, 1). A line would need")
print("  for (0, 0):       b      <= 0")
print("  for (0, 1):  w2 + b      >  0")
print("  for (1, 0):  w1 + b      >  0")
print("  for (1, 1):  w1 + w2 + b <= 0")
print("The two in the middle add up to w1 + w2 + 2b > 0, the two others to")
print("w1 + w2 + 2b <= 0. Both cannot be, so there is no such line.")
print("And so it goes on without end. Mistakes in each epoch:")
print(f"  {xor_mistakes} ...")
(w_last, b_last), (w_before, b_before) = xor_lines[-1], xor_lines[-5]
assert (w_last == w_before).all()
assert b_last == b_before
print("It walks in a circle: after every 4 updates the same line comes again.")

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    Perceptron(shuffle=False, max_iter=12).fit(x_xor, y_xor)
print("deepneuron's perceptron says so, too:")
story.quote(caught[0].message)
print("The way out is a hidden layer: see 03_mlp_layer_by_layer.py.")


# ---------------------------------------------------------------- the pictures
def draw_line(axes, w, b, **style):
    """The points where x @ w + b = 0, for any w but zero."""
    if not w.any():
        return
    middle = -b * w / (w @ w)  # the point of the line that is next to the origin
    along = np.array([-w[1], w[0]]) / np.hypot(*w)
    ends = np.array([middle - 20 * along, middle + 20 * along])  # (2, 2)
    axes.plot(*ends.T, **style)


figure, axes = plt.subplots(1, 3, figsize=(15, 4.8), layout="constrained")
for number, (w_then, b_then) in enumerate(lines, start=1):
    last = number == len(lines)
    strength = 0.2 + 0.5 * number / len(lines)
    style = {"color": INK, "lw": 3} if last else {"color": GREY, "alpha": strength}
    label = f"the last of {number}" if last else None
    draw_line(axes[0], w_then, b_then, label=label, **style)
scatter(axes[0], x, y)
axes[0].set(xlim=(-3.4, 4), ylim=(-3, 3.6), xlabel="x1", ylabel="x2")
axes[0].set_title("The line turns with each mistake")
axes[0].legend(loc="lower right", frameon=True)

for counts, style, label in (
    (mistakes, {"color": BLUE, "marker": "o"}, "two clouds"),
    (xor_mistakes, {"color": ORANGE, "marker": "s"}, "XOR"),
):
    axes[1].plot(np.arange(1, len(counts) + 1), counts, label=label, **style)
axes[1].set(xlabel="epoch", ylabel="mistakes", ylim=(-0.2, None), xticks=range(1, 13))
axes[1].set_title("Mistakes in each epoch")
axes[1].legend()

for w_then, b_then in xor_lines[-4:]:
    draw_line(axes[2], w_then, b_then, color=GREY)
scatter(axes[2], x_xor, y_xor, size=150)
axes[2].set(xlim=(-0.8, 1.8), ylim=(-0.8, 1.8), xlabel="x1", ylabel="x2")
axes[2].set_title("XOR: it tries these lines for ever")
axes[2].legend(loc="upper right", frameon=True)
story.keep(figure, "01_perceptron.png")
story.end()
