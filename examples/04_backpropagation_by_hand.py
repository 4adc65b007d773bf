"""Backpropagation by hand: every step of the chain rule, on a network of four neurons

    x (2 inputs)  ->  h (3 hidden neurons, tanh)  ->  y (1 output neuron, sigmoid)

We compute the gradient of the loss ourselves, in plain NumPy, one local derivative at
a time. Then we ask three witnesses whether we got it right: finite differences (which
know nothing of the chain rule), deepneuron, and real Keras.
"""

import numpy as np
from _look import GREY, INK, ORANGE, Story, draw_edge, draw_neuron, plt, real_keras

import deepneuron as dn
from deepneuron import ops

story = Story(__doc__)

# ---------------------------------------------------------------- the network
# One example, so that every number can be followed with a pencil.
x = np.array([0.8, -0.5])  # (2,)
t = np.array([1.0])  # the target: what y should be, (1,)

# The weights. w1[i, j] leads from input i to hidden neuron j.
w1 = np.array([[0.5, -0.9, 0.3], [0.7, 0.4, -0.6]])  # (2, 3)
b1 = np.array([0.1, 0.0, -0.2])  # (3,)
w2 = np.array([[0.9], [-0.4], [0.6]])  # (3, 1)
b2 = np.array([-0.3])  # (1,)
weights = {"w1": w1, "b1": b1, "w2": w2, "b2": b2}


def sigmoid(z):
    """Squeezes any number into (0, 1)."""
    return 1 / (1 + np.exp(-z))


# ---------------------------------------------------------------- forward
z1 = x @ w1 + b1  # each hidden neuron: a weighted sum of the inputs, (3,)
h = np.tanh(z1)  # ... bent, so that layers can do more than one line, (3,)
z2 = h @ w2 + b2  # the output neuron: a weighted sum of the hidden ones, (1,)
y = sigmoid(z2)  # ... squeezed into (0, 1), (1,)
loss = np.sum(0.5 * (y - t) ** 2)  # how wrong we are; zero is perfect

story.chapter("1. Forward: from the input to the loss")
print(f"x    = {x}         the input")
print(f"z1   = x @ w1 + b1 = {z1.round(4)}")
print(f"h    = tanh(z1)    = {h.round(4)}")
print(f"z2   = h @ w2 + b2 = {z2.round(4)}")
print(f"y    = sigmoid(z2) = {y.round(4)}   the answer; it should be {t}")
print(f"loss = (y - t)^2/2 = {loss:.4f}")

# ---------------------------------------------------------------- backward
# dv is short for dloss/dv: how much the loss grows when v grows a little.
# We walk the same steps backwards. The chain rule says for each of them:
#     gradient of what went in = gradient of what came out * the step's own derivative

# loss = (y - t)^2 / 2, so dloss/dy = y - t.
dy = y - t  # (1,)

# y = sigmoid(z2), so dy/dz2 = y (1 - y).
dz2 = dy * y * (1 - y)  # (1,)

# z2 = h[0] w2[0] + h[1] w2[1] + h[2] w2[2] + b2, so
#   dz2/dw2[j] = h[j]   a loud neuron gets a large share of the blame,
#   dz2/db2    = 1
#   dz2/dh[j]  = w2[j]  and blame flows back over the weight.
dw2 = np.outer(h, dz2)  # (3, 1)
db2 = dz2 * 1  # (1,)
dh = w2 @ dz2  # (3,)

# h = tanh(z1), so dh/dz1 = 1 - tanh(z1)^2 = 1 - h^2. Where h is close to 1 or -1 this
# is almost 0: a neuron that shouts does not listen.
dz1 = dh * (1 - h**2)  # (3,)

# z1[j] = x[0] w1[0, j] + x[1] w1[1, j] + b1[j], so it is as above, one layer down:
#   dz1[j]/dw1[i, j] = x[i],  dz1[j]/db1[j] = 1,  dz1[j]/dx[i] = w1[i, j]
# x[i] feeds all three hidden neurons; what comes back from them is summed (the @).
dw1 = np.outer(x, dz1)  # (2, 3)
db1 = dz1 * 1  # (3,)
dx = w1 @ dz1  # (2,)

by_hand = {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2}

story.chapter("2. Backward: from the loss to every weight")
print("dv is short for dloss/dv: how much the loss grows when v grows a little.")
print(f"dy   = y - t              = {dy.round(4)}   y is too small: raising it helps")
print(f"dz2  = dy * y * (1 - y)   = {dz2.round(4)}")
print(f"dw2  = outer(h, dz2)      = {dw2[:, 0].round(4)}   (as a row)")
print(f"dh   = w2 @ dz2           = {dh.round(4)}")
print(f"dz1  = dh * (1 - h^2)     = {dz1.round(4)}")
print(f"dw1  = outer(x, dz1)      = {dw1[0].round(4)}   (from the first input)")
print(f"                            {dw1[1].round(4)}   (from the second)")
print(f"dx   = w1 @ dz1           = {dx.round(4)}   even the input has a gradient")

# ---------------------------------------------------------------- three witnesses
story.chapter("3. Is it right? Three witnesses")


def loss_of(w1, b1, w2, b2):
    """The forward pass again, with deepneuron's operations instead of NumPy's."""
    h = ops.tanh(ops.matmul(x[None], w1) + b1)  # (1, 3): deepneuron thinks in batches
    y = ops.sigmoid(ops.matmul(h, w2) + b2)  # (1, 1)
    return ops.sum(0.5 * ops.square(y - t))


# Finite differences: push one weight up and down a little, and see what the loss does.
step = 1e-6
for name, w in weights.items():
    slopes = np.zeros_like(w)
    for place in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[place] += step
        down[place] -= step
        higher = loss_of(**{**weights, name: up})
        lower = loss_of(**{**weights, name: down})
        slopes[place] = (higher - lower) / (2 * step)
    np.testing.assert_allclose(by_hand[name], slopes, rtol=0, atol=1e-9)
print("Finite differences: pushed each of the 13 weights; the slopes agree to 1e-9.")

# deepneuron: does what we did above, for any function made of its operations.
by_deepneuron = dn.gradients(loss_of, list(weights.values()))
for name, gradient in zip(weights, by_deepneuron, strict=True):
    np.testing.assert_allclose(by_hand[name], gradient, rtol=0, atol=1e-12)
print("deepneuron.gradients: the same numbers for every weight, to 1e-12.")

keras = real_keras()
if keras:
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(3, activation="tanh"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.set_weights(list(weights.values()))
    # Keras shows no gradients. But SGD with learning rate 1 subtracts exactly the
    # gradient, so weights before minus weights after is what we look for. (Keras's
    # squared error has no 1/2: half the learning rate makes up for it.)
    model.compile(keras.optimizers.SGD(0.5), "mean_squared_error")
    before = model.get_weights()
    model.train_on_batch(x[None], t[None])
    after = model.get_weights()
    for name, old, new in zip(weights, before, after, strict=True):
        np.testing.assert_allclose(by_hand[name], old - new, rtol=0, atol=1e-6)
    print("Real Keras: one step of SGD moved its weights by our gradient (to 1e-6, the")
    print("            precision of its 32-bit numbers).")

# ---------------------------------------------------------------- what it is good for
story.chapter("4. What the gradient is good for")
better = {name: w - 0.5 * by_hand[name] for name, w in weights.items()}
new_loss = float(loss_of(**better))
print("Going a step against the gradient, w := w - 0.5 dw, makes the loss smaller:")
print(f"{loss:.4f} -> {new_loss:.4f}. Doing this again and again is all of training.")
assert new_loss < loss

# ---------------------------------------------------------------- the picture
figure, axes = plt.subplots(figsize=(14, 7.2), layout="constrained")
axes.set(xlim=(-0.2, 11.4), ylim=(-0.75, 5.95), aspect="equal")
axes.axis("off")
xs = [(0.6, 3.9), (0.6, 1.3)]
hs = [(5.6, 5.0), (5.6, 2.6), (5.6, 0.2)]
end = (10.3, 2.6)

along = [[0.42, 0.3, 0.72], [0.72, 0.3, 0.42]]  # where the numbers do not collide
for i in range(2):
    for j in range(3):
        draw_edge(axes, xs[i], hs[j], w1[i, j], dw1[i, j], along[i][j])
    draw_neuron(axes, xs[i], f"x{i + 1}", x[i], dx[i])
for j in range(3):
    draw_edge(axes, hs[j], end, w2[j, 0], dw2[j, 0], 0.48)
    draw_neuron(axes, hs[j], f"h{j + 1}", h[j], dh[j], bias=(b1[j], db1[j]))
draw_neuron(axes, end, "y", y[0], dy[0], bias=(b2[0], db2[0]))

for height, text, ink in (
    (5.75, "Black: values, computed from left to right", INK),
    (5.4, "Orange: gradients dloss/dv, from right to left", ORANGE),
    (-0.35, f"Target {t[0]:.0f}, answer {y[0]:.3f}: loss {loss:.4f}", INK),
    (-0.7, "Lines: blue weights are positive, grey ones negative", GREY),
):
    axes.text(-0.1, height, text, color=ink, fontsize=12)
story.keep(figure, "04_backpropagation_by_hand.png")
story.end()
