"""Code as tutorials write it runs after `import deepneuron as keras`, and in Keras.

Each text is run twice, with the name of the library filled in. What it leaves in
`result` must be of the same kind, and says how well the network has learned.
"""

from __future__ import annotations

import importlib
import textwrap

import numpy as np
import pytest

from tests.peers import keras

DATA = """
import numpy as np
rng = np.random.default_rng(0)
x_train = rng.normal(size=(400, 8, 8, 1)).astype("float32")
y_train = (x_train[:, :4].sum(axis=(1, 2, 3)) > x_train[:, 4:].sum(axis=(1, 2, 3))) * 1
x_flat = x_train.reshape(400, 64)
"""

TUTORIALS = {
    "sequential": """
        import {library} as keras
        from {library} import layers

        model = keras.Sequential()
        model.add(keras.Input(shape=(64,)))
        model.add(layers.Dense(32, activation="relu", kernel_initializer="he_normal"))
        model.add(layers.Dropout(0.1))
        model.add(layers.Dense(1, activation="sigmoid"))
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate=0.01),
            loss="binary_crossentropy",
            metrics=["accuracy", keras.metrics.AUC(name="auc")],
        )
        history = model.fit(
            x_flat, y_train, batch_size=32, epochs=12, validation_split=0.1, verbose=0
        )
        result = history.history["accuracy"][-1]
        shapes = sorted(history.history), model.predict(x_flat[:5], verbose=0).shape
    """,
    "convnet": """
        import {library} as keras
        from {library}.models import Sequential
        from {library}.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
        from {library}.utils import to_categorical

        y = to_categorical(y_train, num_classes=2)
        model = Sequential([
            Input((8, 8, 1)),
            Conv2D(8, kernel_size=(3, 3), padding="same", activation="relu"),
            MaxPooling2D(pool_size=(2, 2)),
            Flatten(),
            Dense(16, activation="relu"),
            Dense(2, activation="softmax"),
        ])
        model.compile(loss=keras.losses.categorical_crossentropy,
                      optimizer=keras.optimizers.RMSprop(0.005), metrics=["accuracy"])
        model.fit(x_train, y, batch_size=32, epochs=12, verbose=0)
        loss, result = model.evaluate(x_train, y, verbose=0)
        shapes = model.count_params(), model.layers[0].kernel.shape
    """,
    "functional": """
        import {library} as keras
        from {library} import layers

        image = keras.Input(shape=(8, 8, 1), name="image")
        flat = keras.Input(shape=(64,), name="flat")
        a = layers.Conv2D(4, 3, activation="relu")(image)
        a = layers.BatchNormalization()(a)
        a = layers.GlobalAveragePooling2D()(a)
        b = layers.Dense(16, activation="tanh", kernel_regularizer="l2")(flat)
        merged = layers.concatenate([a, b])
        label = layers.Dense(1, activation="sigmoid", name="label")(merged)
        total = layers.Dense(1, name="total")(merged)
        model = keras.Model([image, flat], {{"label": label, "total": total}})
        model.compile("adam", loss={{"label": "binary_crossentropy", "total": "mse"}},
                      loss_weights={{"label": 1.0, "total": 0.01}},
                      metrics={{"label": ["accuracy"]}})
        targets = {{"label": y_train, "total": x_flat.sum(1)}}
        history = model.fit({{"image": x_train, "flat": x_flat}}, targets, epochs=25,
                            batch_size=16, verbose=0)
        result = history.history["label_accuracy"][-1]
        shapes = sorted(history.history)
    """,
    "subclassing": """
        import {library} as keras
        from {library} import ops

        class Linear(keras.layers.Layer):
            def __init__(self, units=32, **kwargs):
                super().__init__(**kwargs)
                self.units = units

            def build(self, input_shape):
                self.w = self.add_weight(shape=(input_shape[-1], self.units),
                                         initializer="random_normal", trainable=True)
                self.b = self.add_weight(shape=(self.units,), initializer="zeros",
                                         trainable=True)

            def call(self, inputs):
                return ops.matmul(inputs, self.w) + self.b

        class MLP(keras.Model):
            def __init__(self):
                super().__init__()
                self.hidden = Linear(32)
                self.drop = keras.layers.Dropout(0.1)
                self.out = Linear(1)

            def call(self, x, training=None):
                x = self.drop(ops.relu(self.hidden(x)), training=training)
                return ops.sigmoid(self.out(x))

        model = MLP()
        model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
                      loss=keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
        model.fit(x_flat, y_train, epochs=15, verbose=0)
        result = model.evaluate(x_flat, y_train, verbose=0)[1]
        shapes = [tuple(w.shape) for w in model.trainable_weights]
    """,
    "callbacks": """
        import os, tempfile
        import {library} as keras
        from {library}.callbacks import Callback, EarlyStopping, ModelCheckpoint
        from {library}.callbacks import LearningRateScheduler, ReduceLROnPlateau

        class Counter(Callback):
            def on_train_begin(self, logs=None):
                self.batches, self.losses = 0, []

            def on_train_batch_end(self, batch, logs=None):
                self.batches += 1

            def on_epoch_end(self, epoch, logs=None):
                self.losses.append(logs["loss"])

        model = keras.Sequential([keras.layers.Dense(8, activation="relu"),
                                  keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        counter = Counter()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "best.keras")
            model.fit(x_flat, y_train, epochs=12, validation_split=0.25, verbose=0,
                      callbacks=[
                counter,
                EarlyStopping("val_loss", patience=8, restore_best_weights=True),
                ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
                ReduceLROnPlateau(factor=0.5, patience=3),
                LearningRateScheduler(lambda epoch, lr: 0.01 if epoch < 4 else lr),
                keras.callbacks.CSVLogger(os.path.join(folder, "log.csv")),
                keras.callbacks.TerminateOnNaN(),
            ])
            best = keras.models.load_model(path)
        result = best.evaluate(x_flat, y_train, verbose=0)[1]
        shapes = len(counter.losses) <= 12, counter.batches % 10
    """,
    "own loss and metric": """
        import {library} as keras
        from {library} import ops

        def squared(y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

        class Hits(keras.metrics.Metric):
            def __init__(self, name="hits", **kwargs):
                super().__init__(name=name, **kwargs)
                self.hits = self.add_weight(name="h", initializer="zeros")
                self.seen = self.add_weight(name="n", initializer="zeros")

            def update_state(self, y_true, y_pred, sample_weight=None):
                y_true = ops.cast(ops.reshape(y_true, (-1,)), "float32")
                guess = ops.cast(ops.reshape(y_pred, (-1,)) > 0.5, "float32")
                same = ops.equal(y_true, guess)
                self.hits.assign_add(ops.sum(ops.cast(same, "float32")))
                self.seen.assign_add(ops.cast(ops.size(y_true), "float32"))

            def result(self):
                return self.hits / self.seen

            def reset_state(self):
                self.hits.assign(0.0)
                self.seen.assign(0.0)

        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1)])
        rate = keras.optimizers.schedules.ExponentialDecay(0.02, 50, 0.9)
        model.compile(keras.optimizers.Adam(rate), loss=squared, metrics=[Hits()])
        y = y_train.reshape(-1, 1).astype("float32")
        history = model.fit(x_flat, y, epochs=15, verbose=0)
        result = history.history["hits"][-1]
        shapes = sorted(history.history)
    """,
    "autoencoder and parts of models": """
        import {library} as keras
        from {library} import layers

        encoder = keras.Sequential([keras.Input((64,)), layers.Dense(64, "relu")],
                                   name="encoder")
        decoder = keras.Sequential([keras.Input((64,)), layers.Dense(64)],
                                   name="decoder")
        x = keras.Input((64,))
        autoencoder = keras.Model(x, decoder(encoder(x)), name="autoencoder")
        autoencoder.compile(optimizer="adam", loss="mse")
        autoencoder.fit(x_flat, x_flat, epochs=3, verbose=0)
        encoder.trainable = False
        head = layers.Dense(2, activation="softmax")(encoder.output)
        classifier = keras.Model(encoder.input, head)
        before = encoder.get_weights()[0].copy()
        loss = "sparse_categorical_crossentropy"
        classifier.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
        classifier.fit(x_flat, y_train, epochs=25, batch_size=16, verbose=0)
        assert (encoder.get_weights()[0] == before).all()
        result = classifier.evaluate(x_flat, y_train, verbose=0)[1]
        features = keras.Model(autoencoder.inputs, autoencoder.get_layer("encoder")(x))
        shapes = features.predict(x_flat[:3], verbose=0).shape, len(classifier.weights)
    """,
    "augmentation and adapted preprocessing": """
        import {library} as keras
        from {library} import layers

        keras.utils.set_random_seed(1)
        normalize = layers.Normalization()
        normalize.adapt(x_train)
        model = keras.Sequential([
            keras.Input((8, 8, 1)), normalize,
            layers.RandomFlip("horizontal"), layers.RandomRotation(0.02),
            layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization(),
            layers.Activation("relu"), layers.AveragePooling2D(2), layers.Flatten(),
            layers.Dense(2),
        ])
        model.compile(keras.optimizers.Adam(0.01),
                      keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                      metrics=[keras.metrics.SparseCategoricalAccuracy()])
        history = model.fit(x_train, y_train, epochs=15, verbose=0)
        result = history.history["sparse_categorical_accuracy"][-1]
        shapes = [layer.name.split("_")[0] for layer in model.layers]
    """,
}


def run(name, library):
    importlib.import_module(library).utils.set_random_seed(1)
    scope: dict = {}
    exec(DATA, scope)  # noqa: S102 - the texts above
    text = textwrap.dedent(TUTORIALS[name]).format(library=library)
    exec(compile(text, f"<{name} with {library}>", "exec"), scope)  # noqa: S102
    return float(np.asarray(scope["result"])), scope["shapes"]


@pytest.mark.parametrize("name", TUTORIALS)
def test_the_tutorial_runs_as_in_keras(name):
    keras()  # on its JAX backend, whatever else is installed
    ours, our_shapes = run(name, "deepneuron")
    theirs, their_shapes = run(name, "keras")
    assert our_shapes == their_shapes
    assert ours > 0.75
    assert ours == pytest.approx(theirs, abs=0.15)
