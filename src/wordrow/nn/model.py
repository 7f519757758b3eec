"""The Keras-shaped shell over a graph: it holds weights, names and settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wordrow.errors import show
from wordrow.nn import bag, ops, random
from wordrow.nn.answer import answer, count
from wordrow.nn.callbacks import Callbacks, History
from wordrow.nn.columns import Column, as_floats, input_columns, is_batches, split_item
from wordrow.nn.compiled import Objective, objective_of
from wordrow.nn.fit import Plan, data_of, fit, train_on_batch
from wordrow.nn.graph import Graph, graph_of, name_apart
from wordrow.nn.layers import Input, Layer
from wordrow.nn.layers.layer import CALLING, Arrays, Shape
from wordrow.nn.layers.symbol import Inside, Symbol, symbols_in
from wordrow.nn.optimizers import OPTIMIZERS, Optimizer
from wordrow.nn.summary import summary_text
from wordrow.nn.trainer import Trainer
from wordrow.nn.words import grow_table, vectors_of
from wordrow.types import Ragged
from wordrow.vectors.coverage import Case, Missing
from wordrow.vectors.vectors import Vectors

__all__ = ["Model", "layers_of"]

# Keras's choices of how to compute, which change nothing here.
_WAYS = ("run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss")


class Model:
    """Layers joined to a graph, from inputs to outputs.

    inputs, outputs: an Input and what layers gave when they were called on it, or
    lists or dicts of them. Layers may be used several times: they have one set
    of weights.

    >>> from wordrow import Dense, Embedding, GlobalAveragePooling1D, Input
    >>> ids = Input((6,))
    >>> rows = Embedding(10, 3, mask_zero=True)(ids)
    >>> model = Model(ids, Dense(1)(GlobalAveragePooling1D()(rows)))
    >>> model.predict([[0, 0, 1, 2, 3, 4]]).shape
    (1, 1)
    """

    _input_names: list[str] | None
    _output_names: list[str] | None
    _units: list[Any]
    _layers: list[Layer]

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        self._begin(name)
        firsts, input_names = _symbols(inputs, "inputs")
        lasts, output_names = _symbols(outputs, "outputs")
        self._input_names, self._output_names = input_names, output_names
        for first in firsts:
            if not isinstance(first.call.layer, Input):
                raise ValueError(
                    f"`inputs` must be Inputs; received what {first.call.layer.name!r} puts out."
                )
        self._one_output = not isinstance(outputs, list | tuple | Mapping)
        self._take_graph(graph_of(firsts, lasts))

    def _take_graph(self, graph: Graph) -> None:
        """Take a graph for the model's own; its layers get names that are unique."""
        self._graph: Graph | None = graph
        self._units = graph.units
        name_apart(self._units)
        self._layers = layers_of(self._units, {id(layer) for layer in graph.layers})

    def arrange(self, names: Sequence[str]) -> None:
        """Bring the layers into the order of their names, those without a place last."""
        place = {name: i for i, name in enumerate(names)}
        self._units.sort(key=lambda unit: place.get(unit.name, len(place)))
        self._layers = layers_of(self._units, {id(layer) for layer in self.graph.layers})

    def _begin(self, name: str | None, kind: str = "model") -> None:
        self.name, self.given_name, self.in_a_model = name or kind, name, False
        self._units = []  # layers, and models that were called
        self._layers = []  # all layers, those of these models too
        self._one_output = True
        self._input_names, self._output_names = None, None
        self.optimizer: Any = None
        self.loss: Any = None
        self.loss_weights: Any = None
        self.compiled_metrics: tuple[Any, Any] = (None, None)
        self.stop_training = False
        self.history: History | None = None
        self._objective: Objective | None = None
        self._trainer: Trainer | None = None
        self._seed = 0  # of all that is random in training

    # ---- the graph ------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The layers as a graph of pure functions.

        Raises ValueError before the model is built.
        """
        if self._graph is None:
            raise ValueError(
                f"{self.name!r} is not built yet: its first layer needs an input shape, or call "
                "build((None, T))."
            )
        return self._graph

    @property
    def built(self) -> bool:
        """Whether the layers have their weights."""
        return self._graph is not None

    @property
    def layers(self) -> list[Any]:
        """The layers, each once, in the order of their use; models that were called among them."""
        return list(self._units)

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs."""
        return [self.graph.nodes[number].layer.symbol for number in self.graph.inputs]  # type: ignore[attr-defined]

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs."""
        made = self._symbols_from(self.inputs)
        return [made[place] for place in self.graph.outputs]

    @property
    def input(self) -> Any:
        """The symbol of the input, or the list of several."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The symbol of the output, or the list of several."""
        return self.outputs[0] if self._one_output else self.outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: those of a dict, or of the Inputs."""
        graph = self.graph
        return self._input_names or [graph.nodes[number].layer.name for number in graph.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of a dict, or of the layers they come from."""
        if self._output_names is not None:
            return self._output_names
        names: list[str] = []
        for number, _ in self.graph.outputs:
            base = name = self.graph.nodes[number].layer.name
            while name in names:
                name = f"{base}_{len(names)}"
            names.append(name)
        return names

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for axes of any length; a list for several inputs."""
        if self._graph is None:
            return None
        shapes = self.input_shapes
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """The shape of the output; a list for several. None before the model is built."""
        if self._graph is None:
            return None
        return self.output_shapes[0] if self._one_output else self.output_shapes

    @property
    def input_shapes(self) -> list[Shape]:
        """The shape of each input."""
        return [self.graph.nodes[number].layer.output_shape for number in self.graph.inputs]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shape of each output."""
        found = []
        for number, index in self.graph.outputs:
            shape = self.graph.nodes[number].layer.output_shape
            found.append(shape[index] if isinstance(shape, list) else shape)
        return found

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer (or model inside) of a name or a place."""
        if (name is None) == (index is None):
            raise ValueError("`get_layer` takes either a name or an index.")
        if index is not None:
            if not -len(self._units) <= index < len(self._units):
                raise ValueError(f"there is no layer {index}: the model has {len(self._units)}.")
            return self._units[index]
        for layer in self._units:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self._units]
        raise ValueError(f"there is no layer {name!r}; the model has {names}.")

    def _symbols_from(
        self, inputs: Sequence[Symbol], within: Any = None
    ) -> dict[tuple[int, int], Symbol]:
        """Return the symbols of all places, with the layers called on other inputs."""
        graph = self.graph
        made = {(number, 0): one for number, one in zip(graph.inputs, inputs, strict=True)}
        for number, node in enumerate(graph.nodes):
            if node.inputs:
                taken = [made[place] for place in node.inputs]
                outputs = node.layer.call_on(
                    taken, is_list=node.is_list, rng=random.generator(), within=within
                )
                for index, one in enumerate(outputs if isinstance(outputs, list) else [outputs]):
                    made[number, index] = one
        return made

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """Return the outputs for arrays; or symbols for symbols, which makes it part of a model."""
        symbols = symbols_in(inputs)
        if symbols is None and CALLING:  # within a layer of one's own
            return self._answer_within(inputs)
        if symbols is None:
            return self._packed(answer(self, self.inputs_of(inputs), training=training))
        if len(symbols) != len(self.graph.inputs):
            raise ValueError(
                f"{self.name!r} takes {len(self.graph.inputs)} inputs; received {len(symbols)}."
            )
        inside = Inside(self, tuple(symbols), [])
        made = self._symbols_from(symbols, within=inside)
        inside.outputs = [made[place] for place in self.graph.outputs]
        return self._packed([made[place] for place in self.graph.outputs])

    def _answer_within(self, inputs: Any) -> Any:
        """Return the outputs for arrays of JAX or NumPy, with the weights that the layers hold."""
        given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if self._graph is None:
            self.build((None, *given[0].shape[1:]))  # type: ignore[attr-defined]
        around = CALLING[-1]
        outputs, _, state = self.graph.apply(
            {layer.name: layer._held or {} for layer in self._layers}, self._state(), given,
            [None] * len(given), training=around.training, rng=around.next_rng(),
        )  # fmt: skip
        for layer in self._layers:
            layer._state = state.get(layer.name, {})
        return self._packed([ops.laid_out(one) for one in outputs])

    def _packed(self, outputs: list[Any]) -> Any:
        return outputs[0] if self._one_output else outputs

    def inputs_of(self, x: Any) -> list[Column]:
        """Return one column for each input; see `fit` for what x may be."""
        graph = self.graph
        columns = input_columns(x, self.input_names, self.input_shapes, self.name, graph.readers)
        looked_up = set(graph.lookups().values())
        return [
            column if number in looked_up else as_floats(column, self.inputs[number].dtype)
            for number, column in enumerate(columns)
        ]

    def check_ids(self, columns: Sequence[Column]) -> None:
        """Raise ValueError for an id that an Embedding has no row for."""
        self.graph.check_columns(columns)

    # ---- answering ------------------------------------------------------

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto",
        steps: int | None = None, callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """Return the outputs for inputs [B, ...], as NumPy; a list for several outputs.

        x: an array or equal lists of ids, `Padded` (its mask counts), or
        `Ragged` (texts of any length); for several inputs a list or a dict of
        them; or batches from a generator. batch_size bounds the memory in use.

        Raises ValueError, before anything runs, for an id that is not in the
        table (which text, which position) and for inputs of another shape.
        """
        if is_batches(x):
            found = []
            for taken, item in enumerate(x, 1):
                found.append(answer(self, self.inputs_of(split_item(item)[0])))
                if taken == steps:
                    break
            return self._packed([np.concatenate(parts) for parts in zip(*found, strict=True)])
        if isinstance(x, Ragged) and self._graph is not None:
            layers = bag.match(self._graph)
            if layers is not None:
                return layers.predict(x)
        columns = self.inputs_of(x)
        return self._packed(answer(self, columns, batch_size=batch_size, verbose=verbose))

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        return self._packed(answer(self, self.inputs_of(x)))

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """Return the loss, or [loss, metrics...], over examples; by name with return_dict."""
        found = self._evaluated(x, y, sample_weight, batch_size, steps, callbacks, verbose)
        return found if return_dict else _listed(found)

    def _evaluated(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, steps: int | None,
        callbacks: Any = None, verbose: Any = 0,
    ) -> dict[str, float]:  # fmt: skip
        told = Callbacks(callbacks or (), self, {})
        told.call("on_test_begin", {})
        items = x if is_batches(x) else [(x, y, sample_weight)]
        if self._graph is None and not is_batches(x):
            self.inputs_of(x)  # which builds it
        totals = self.objective.init()
        for taken, item in enumerate(items, 1):
            data = data_of(self, *split_item(item))
            if steps is not None and not is_batches(x):
                data = data.take(slice(0, steps * (batch_size or 32)))
            totals = count(self, data, totals, batch_size=batch_size or 32, verbose=verbose)
            if taken == steps:
                break
        found = self.objective.results(totals)
        told.call("on_test_end", found)
        return found

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and metrics of one batch."""
        n = len(self.inputs_of(x)[0])
        return self.evaluate(x, y, n, 0, sample_weight, return_dict=return_dict)

    # ---- training -------------------------------------------------------

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None,
        loss_weights: Any = None, weighted_metrics: Any = None, **options: Any,
    ) -> None:  # fmt: skip
        """Say how to train: names or objects; the optimizer begins anew.

        loss, metrics, loss_weights: for several outputs also a list or a dict by
        output name. `run_eagerly`, `steps_per_execution`, `jit_compile` and
        `auto_scale_loss` are taken, and change nothing.

        Raises TypeError for an option that Keras does not have, ValueError for an
        unknown name.
        """
        if unknown := sorted(set(options) - set(_WAYS)):
            raise TypeError(
                f"compile has no option {unknown}; it has optimizer, loss, metrics, "
                f"loss_weights, weighted_metrics and {', '.join(_WAYS)}."
            )
        if isinstance(optimizer, str):
            optimizer = optimizer if optimizer in OPTIMIZERS.classes else optimizer.lower()
        made = OPTIMIZERS.get(optimizer)
        if not isinstance(made, Optimizer):
            raise TypeError(
                f"`optimizer` must be one of {sorted(OPTIMIZERS.classes)} or an object of these; "
                f"received {show(optimizer)}."
            )
        if self._trainer is not None:
            self._trainer.release()
        self._trainer, self._objective = None, None
        self.optimizer, self.loss, self.loss_weights = made, loss, loss_weights
        self.compiled_metrics = metrics, weighted_metrics
        self._seed = int(random.generator().integers(2**32))
        if self._graph is not None and loss is not None:
            self._objective = self._new_objective()

    def _new_objective(self) -> Objective:
        plain, weighted = self.compiled_metrics
        return objective_of(
            self.graph, self.output_names, loss=self.loss, metrics=plain,
            weighted_metrics=weighted, loss_weights=self.loss_weights,
        )  # fmt: skip

    @property
    def objective(self) -> Objective:
        """The loss and metrics, made to fit the outputs.

        Raises ValueError before `compile`.
        """
        if self.optimizer is None:
            raise ValueError(
                f"{self.name!r} is not compiled yet: compile('adam', 'binary_crossentropy') first."
            )
        if self._objective is None:
            self._objective = self._new_objective()
        return self._objective

    @property
    def metrics(self) -> list[Any]:
        """The metrics that `compile` was given."""
        plain = self.compiled_metrics[0]
        return list(plain) if isinstance(plain, list | tuple) else [] if plain is None else [plain]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns."""
        return list(self.objective.results(self.objective.init()))

    @property
    def trainer(self) -> Trainer:
        """What holds the weights while they are trained, made when it is first needed."""
        if self._trainer is None:
            self._trainer = Trainer(self.graph, self.optimizer, self.objective, self._seed)
        return self._trainer

    @property
    def step(self) -> int:
        """The number of training steps taken since `compile`."""
        return 0 if self._trainer is None else self._trainer.step

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
        verbose: Any = "auto", callbacks: Any = None, validation_split: float = 0.0,
        validation_data: Any = None, shuffle: bool = True, class_weight: Any = None,
        sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None, validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:  # fmt: skip
        """Train, and return the numbers of each epoch as a History.

        x: an array, equal lists of ids, `Padded` or `Ragged`; for several inputs a
        list or a dict of them; or batches (x, y) or (x, y, sample_weight) from a
        generator, or from anything with items. batch_size: 32 unless given.
        epochs: the number of the last epoch; initial_epoch: of epochs done before.
        validation_split: the share of examples, the last ones, to evaluate each
        epoch on instead of learning from them; validation_data: (x, y) or (x, y,
        sample_weight), or batches of them. class_weight: class -> how much its
        examples count. verbose: "auto" is a progress line on a terminal, and a
        line an epoch elsewhere; 1, 2 and 0 are the one, the other and none.

        The same seed (`set_random_seed`) and number of threads give the same bits.

        Raises ValueError, before training begins, for inputs or labels that do not
        fit; and where the loss stops being finite (which step), with the weights
        from before. MissingExtraError where JAX is not installed.
        """
        validation_freq = validation_freq if isinstance(validation_freq, Sequence) else int(
            validation_freq)  # fmt: skip
        data = None
        if not is_batches(x):
            data = data_of(self, x, y, sample_weight, class_weight)
            if validation_split and validation_data is None:
                data, validation_data = self._split(x, y, sample_weight, data, validation_split)
        elif validation_split:
            raise ValueError("`validation_split` needs arrays; give validation_data.")
        validate = None
        if validation_data is not None:
            size = validation_batch_size or batch_size

            def validate() -> dict[str, float]:
                if is_batches(validation_data):
                    return self._evaluated(validation_data, None, None, size, validation_steps)
                return self._evaluated(*split_item(tuple(validation_data)), size, validation_steps)

        plan = Plan(
            batch_size=32 if batch_size is None else batch_size, epochs=epochs, verbose=verbose,
            callbacks=[callbacks] if hasattr(callbacks, "on_epoch_end") else callbacks or (),
            shuffle=bool(shuffle), class_weight=class_weight, initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch, validation=validate,
            validation_epochs=lambda epoch: (
                (epoch + 1) in validation_freq if isinstance(validation_freq, Sequence)
                else (epoch + 1) % validation_freq == 0
            ),
        )  # fmt: skip
        return fit(self, self.trainer, x, data, plan)

    def _split(self, x: Any, y: Any, sample_weight: Any, data: Any, share: float) -> Any:
        """Return (the first examples, (x, y, weights) of the last ones)."""
        n = len(data)
        first = int(n * (1 - share))
        if not 0 < share < 1 or not 0 < first < n:
            raise ValueError(
                f"validation_split={share} of {n} examples leaves {first} to learn from and "
                f"{n - first} to look at; both must be at least one."
            )
        plain = data_of(self, x, y, sample_weight).take(slice(first, n))
        one = len(plain.inputs) == 1, len(plain.labels) == 1
        held = (
            plain.inputs[0] if one[0] else plain.inputs,
            plain.labels[0] if one[1] else plain.labels,
            plain.weights[0] if one[1] else plain.weights,
        )
        return data.take(slice(0, first)), held

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """Take one step on one batch; return its loss and metrics, from before the step."""
        data = data_of(self, x, y, sample_weight, class_weight)
        found = train_on_batch(self, self.trainer, data)
        return found if return_dict else _listed(found)

    def reset_states(self) -> None:
        """Begin the next batch of stateful layers with zeros."""
        for layer in self._layers:
            if hasattr(layer, "reset_states"):
                layer.reset_states()

    # ---- weights --------------------------------------------------------

    def _weights(self) -> dict[str, Arrays]:
        return {layer.name: layer._weights or {} for layer in self._layers}

    def _state(self) -> dict[str, Arrays]:
        return {layer.name: layer._state for layer in self._layers}

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Return copies of all weights, layer by layer."""
        return [weight for layer in self._layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take arrays of the shapes that `get_weights` gives; all or none are taken."""
        counts = [len(layer._weights or {}) for layer in self._layers]
        if len(weights) != sum(counts):
            hint = "" if self.built else " It is not built yet: give it an input shape first."
            raise ValueError(
                f"{self.name!r} has {sum(counts)} weights; received {len(weights)}.{hint}"
            )
        before = [layer._weights for layer in self._layers]
        rest = list(weights)
        try:
            for layer, n in zip(self._layers, counts, strict=True):
                layer.set_weights(rest[:n])
                del rest[:n]
        except ValueError:
            for layer, own in zip(self._layers, before, strict=True):
                layer._weights = own
            raise

    # ---- words ----------------------------------------------------------

    def vectors(self, tokenizer: Any, layer: str | None = None) -> Vectors:
        """Return the words of a tokenizer with their rows as they are now: the trained table.

        layer: the name of the Embedding, where there are several.
        """
        return vectors_of(self, tokenizer, layer)

    def grow_vocabulary(
        self, tokenizer: Any, vectors: Vectors | None = None, missing: Missing = "uniform",
        case: Case = "exact", layer: str | None = None,
    ) -> int:  # fmt: skip
        """Add a row for each id that `tokenizer.grow` has added; return how many these are.

        All that was learned stays, the optimizer's state too. New rows are those that
        `vectors` have for the new words; missing and case say, as in
        `Embedding.from_vectors`, what others begin with. So words that training never
        met can be given their pretrained rows, or those of their sub-words, to predict with.

        Raises ValueError where rows are not of one length, or the layer is not named.
        """
        return grow_table(self, tokenizer, vectors, missing, case, layer)

    def count_params(self) -> int:
        """Return the number of single weights."""
        _ = self.graph
        return sum(layer.count_params() for layer in self._layers)

    def count_trained(self) -> int:
        """Return the number of single weights that training changes by gradients."""
        return sum(layer.count_trained() for layer in self._layers)

    @property
    def trainable(self) -> bool:
        """Whether training changes any layer's weights; setting it sets every layer's."""
        return any(layer.trainable for layer in self._layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._layers:
            layer.trainable = bool(value)

    def summary(
        self, line_length: int | None = None, positions: Any = None,
        print_fn: Callable[[str], object] | None = None, expand_nested: bool = False,
        show_trainable: bool = False, layer_range: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Print the layers with their output shapes and numbers of weights, as Keras does.

        expand_nested: the layers of models inside as well. layer_range: the names of
        the first and the last layer to show. `positions` is taken, and changes nothing.
        """
        text = summary_text(
            self, line_length=line_length, expand_nested=expand_nested,
            show_trainable=show_trainable, layer_range=layer_range,
        )  # fmt: skip
        (print_fn or print)(text)

    # ---- saving ---------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the name, the layers and their calls as JSON-able values."""
        from wordrow.nn.saving import graph_config

        return {"name": self.name, **graph_config(self)}

    def save(self, path: str | os.PathLike[str], overwrite: bool = True, **options: Any) -> None:
        """Write the model to one safetensors file, with the optimizer's state; see `load_model`.

        Raises FileExistsError where `overwrite` is False and the file is there.
        """
        from wordrow.nn.saving import save_model

        include = options.pop("include_optimizer", True)
        save_model(self, path, overwrite=overwrite, include_optimizer=bool(include))

    def save_weights(self, path: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone to one safetensors file; `load_weights` reads it."""
        from wordrow.nn.saving import save_weights

        save_weights(self, path, overwrite=overwrite)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Take the weights of a file that `save_weights`, or `save`, wrote.

        Raises FileFormatError where they are not of this model's shapes.
        """
        from wordrow.nn.saving import load_weights

        load_weights(self, path)

    def __reduce__(self) -> Any:
        from wordrow.nn.saving import model_from_bytes, model_to_bytes

        return model_from_bytes, (model_to_bytes(self),)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {len(self._units)} layers>"


def _symbols(given: Any, what: str) -> tuple[list[Symbol], list[str] | None]:
    names = list(given) if isinstance(given, Mapping) else None
    items = list(given.values()) if isinstance(given, Mapping) else given
    empty = items is None or (isinstance(items, list | tuple) and not items)
    found = None if empty else symbols_in(items)
    if found is None:
        raise TypeError(
            f"`{what}` must be an Input and what layers made of it, or a list or dict of these; "
            f"received {show(given)}. For a chain of layers use Sequential."
        )
    return found, names


def layers_of(units: Sequence[Any], used: set[int] | None = None) -> list[Layer]:
    """Return all layers of layers and models, each once; used: by id, those that count.

    Layers in models may be called like others: these are renamed after their model.
    """
    found: dict[int, Layer] = {}
    taken = {unit.name for unit in units if isinstance(unit, Layer)}
    for unit in units:
        for layer in unit._layers if isinstance(unit, Model) else (unit,):
            if id(layer) in found or (isinstance(unit, Model) and isinstance(layer, Input)):
                continue
            if used is not None and id(layer) not in used:
                continue
            if isinstance(unit, Model) and layer.name in taken and layer not in units:
                if unit._trainer is not None:
                    unit._trainer.release()
                base = name = f"{unit.name}_{layer.name}"
                while name in taken:
                    name = f"{base}_{len(taken)}"
                layer.name = name
            taken.add(layer.name)
            found[id(layer)] = layer
    return list(found.values())


def _listed(found: dict[str, float]) -> Any:
    """Return the numbers of an evaluation as Keras does: one alone, or a list."""
    numbers = list(found.values())
    return numbers[0] if len(numbers) == 1 else numbers
