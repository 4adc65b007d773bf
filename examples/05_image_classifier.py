"""An image classifier: a convolutional network learns to tell clothes apart

2000 small pictures of ten kinds of clothing come with deepneuron. If you know Keras,
you know this script: real Keras builds the same network from the same lines. At the end
we look at the mistakes, which teach more than the accuracy does.
"""

import numpy as np
from _look import BLUE, ORANGE, Story, plt, real_keras

import deepneuron as dn
from deepneuron.data import FASHION, load_fashion

story = Story(__doc__)
dn.utils.set_random_seed(1)  # the same numbers in every run
names = FASHION.class_names

# ---------------------------------------------------------------- the data
(x_train, y_train), (x_test, y_test) = load_fashion()
x_train = x_train[..., None] / np.float32(255)  # (2000, 28, 28, 1), from 0 to 1
x_test = x_test[..., None] / np.float32(255)  # (500, 28, 28, 1)

story.chapter("1. The data")
print(f"{len(x_train)} pictures to learn from, {len(x_test)} to be tested on.")
print(f"Ten kinds: {', '.join(names[:5])},")
print(f"           {', '.join(names[5:])}.")
print("Guessing would be right in 10% of the cases.")


# ---------------------------------------------------------------- the network
# A function of the library, so that real Keras can build the same network below.
def build(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            # Looks for 16 small patterns (edges, corners) everywhere in the picture,
            # at every second place.
            layers.Conv2D(16, 5, strides=2, activation="relu"),  # (12, 12, 16)
            # Where exactly a pattern is does not matter much: keep the maximum of 2x2.
            layers.MaxPooling2D(),  # (6, 6, 16)
            layers.Flatten(),  # (576,)
            # Silences a third of its inputs at random while it learns, so that the
            # network must not rely on any single one.
            layers.Dropout(1 / 3, name="dropout"),
            # Combines the patterns: sleeves, straps, heels.
            layers.Dense(64, activation="relu"),  # (64,)
            # Ten numbers that add up to 1: how likely each kind is.
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.003),
        loss="sparse_categorical_crossentropy",  # -log of what the right kind was given
        metrics=["accuracy"],
    )
    return model


model = build(dn)
beginning = model.get_weights()  # for the comparison at the end

story.chapter("2. Training")
print(f"A network with {model.count_params()} weights. An epoch is one pass over the")
print("pictures; 10% of them are held back for validation.")
history = model.fit(
    x_train, y_train, batch_size=64, epochs=12, validation_split=0.1, verbose=0
).history
for epoch in range(12):
    print(
        f"epoch {epoch + 1:2d}: loss {history['loss'][epoch]:.3f}, "
        f"accuracy {history['accuracy'][epoch]:.1%}, "
        f"on pictures held back {history['val_accuracy'][epoch]:.1%}"
    )
print(
    "Why better on pictures that it does not learn from? Dropout is silent there; and"
)
print("they are judged at the end of an epoch, the others on the way.")

# ---------------------------------------------------------------- the test
probabilities = model.predict(x_test, verbose=0)  # (500, 10)
answers = probabilities.argmax(axis=1)  # (500,)
accuracy = np.mean(answers == y_test)

# confusion[i, j]: how many pictures of kind i were called j. The diagonal is right.
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (y_test, answers), 1)

story.chapter("3. The test: pictures it has never seen")
print(f"It names {accuracy:.1%} of the test pictures correctly.")
wrong = confusion - np.diag(np.diag(confusion))
for place in np.argsort(wrong, axis=None)[:-4:-1]:
    kind, called = np.unravel_index(place, wrong.shape)
    count = wrong[kind, called]
    print(f"  {count} of 50: {names[kind]} taken for {names[called]}")
print("These look alike at 28x28 pixels, to people as well: see the pictures.")

# ---------------------------------------------------------------- real Keras
story.chapter("4. The same in real Keras")
path = story.out / "fashion.keras"
model.save(path)
print(f"Saved as {path}, in the format of Keras.")
keras = real_keras()
if keras:
    opened = keras.models.load_model(path)
    theirs = opened.predict(x_test, verbose=0)
    np.testing.assert_allclose(probabilities, theirs, atol=1e-4)
    difference = np.abs(probabilities - theirs).max()
    print("Real Keras opens the file and gives the same probabilities: the largest")
    print(f"difference is {difference:.1e}.")

    # And it learns in the same way: same first weights, same batches, same losses.
    # (Without dropout, whose coin tosses differ between any two libraries.)
    ours, real = build(dn), build(keras)
    ours.get_layer("dropout").rate = real.get_layer("dropout").rate = 0.0
    ours.set_weights(beginning)
    real.set_weights(beginning)
    print("Five steps of training from the same weights on the same batches:")
    for step in range(5):
        batch = slice(64 * step, 64 * (step + 1))
        our_loss = ours.train_on_batch(x_train[batch], y_train[batch])[0]
        real_loss = real.train_on_batch(x_train[batch], y_train[batch])[0]
        print(f"  deepneuron's loss {our_loss:.6f}, Keras's {real_loss:.6f}")
        np.testing.assert_allclose(our_loss, real_loss, rtol=1e-4)

# ---------------------------------------------------------------- the pictures
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
epochs = np.arange(1, 13)
for axes, key, title in (
    (left, "loss", "Loss: falls"),
    (right, "accuracy", "Accuracy: rises"),
):
    axes.plot(epochs, history[key], "o-", color=BLUE, label="training pictures")
    axes.plot(epochs, history[f"val_{key}"], "s-", color=ORANGE, label="held back")
    axes.set(title=title, xlabel="epoch")
    axes.legend()
right.yaxis.set_major_formatter(plt.matplotlib.ticker.PercentFormatter(1, decimals=0))
story.keep(figure, "05_learning_curves.png")

figure, axes = plt.subplots(figsize=(8, 7.2), layout="constrained")
axes.imshow(confusion, cmap="Blues")
for kind, called in np.argwhere(confusion):
    count = confusion[kind, called]
    ink = "white" if count > 25 else "black"
    axes.text(called, kind, count, color=ink, ha="center", va="center")
axes.set(
    title=f"What was called what ({accuracy:.1%} right: the diagonal)",
    xlabel="the network's answer",
    ylabel="what it is",
    yticks=range(10),
    yticklabels=names,
)
axes.set_xticks(range(10), names, rotation=40, ha="right", rotation_mode="anchor")
axes.tick_params(length=0)
axes.spines[:].set_visible(False)
story.keep(figure, "05_confusion_matrix.png")

# The twelve mistakes that it was most sure of.
mistakes = np.flatnonzero(answers != y_test)
mistakes = mistakes[np.argsort(-probabilities[mistakes].max(axis=1))][:12]
figure, grid = plt.subplots(2, 6, figsize=(12, 5), layout="constrained")
for axes in grid.flat:
    axes.axis("off")
for axes, i in zip(grid.flat, mistakes, strict=False):
    axes.imshow(x_test[i, ..., 0], cmap="gray_r", vmin=0, vmax=1)
    sure = f"{probabilities[i].max():.0%}"
    axes.set_title(
        f"said: {names[answers[i]]} ({sure})\nis: {names[y_test[i]]}",
        fontsize=10,
        weight="normal",
    )
figure.suptitle("The mistakes it was most sure of", weight="bold")
story.keep(figure, "05_mistakes.png")
story.end()
