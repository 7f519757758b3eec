"""Keras's own files: `.keras` (a zip of JSON and HDF5) and `.h5` (HDF5), read and written.

A model comes with its weights, and with the state of its optimizer where that is understood.
Needs h5py, the extra `keras`.
"""

from __future__ import annotations

import io
import json
import os
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from wordrow import store
from wordrow.errors import FileFormatError, MissingExtraError
from wordrow.keras._names import snake_case
from wordrow.keras._read import Reader
from wordrow.keras._write import Writer
from wordrow.nn.layers import Bidirectional, Input, Layer, MultiHeadAttention, TimeDistributed
from wordrow.nn.layers.attention import Attention
from wordrow.nn.layers.recurrent import Recurrent
from wordrow.nn.model import Model
from wordrow.nn.optimizers import Nadam
from wordrow.nn.saving import BROKEN
from wordrow.nn.trainer import Trainer

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

_WRITTEN_AS = {3: "3.15.0", 2: "2.15.0"}  # the versions of Keras whose files these are
_ATTRIBUTE = 64_000  # bytes that an HDF5 attribute holds at most, with its header
Place = tuple[Layer, str]


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        what = "reading and writing Keras's files"
        raise MissingExtraError(what, package="h5py", extra="keras") from error
    return h5py


# ---- whole models -----------------------------------------------------------------


def load_model(path: Any, *, compiled: bool = True, custom_objects: Any = None) -> Model:
    """Return the model of a `.keras` or `.h5` file."""
    name, h5py = os.fspath(path), _h5py()
    with _reading(name) as opened:
        version = _version_of(opened, name)
        reader = Reader(name, custom_objects, version, _vocabularies_of(opened))
        if isinstance(opened, zipfile.ZipFile):
            entry = _json(opened.read("config.json"), name)
            model: Model = reader.model(entry)
            with h5py.File(io.BytesIO(opened.read("model.weights.h5")), "r") as file:
                _take(model, _in_layers(model, file, name))
                state = [np.asarray(file[f"optimizer/vars/{i}"])
                         for i in range(len(file.get("optimizer/vars", ())))]  # fmt: skip
            training = entry.get("compile_config")
        else:
            if "model_config" not in opened.attrs:
                raise FileFormatError(
                    f"{name} holds weights alone: make the model, and use model.load_weights(path)."
                )
            model = reader.model(_json(opened.attrs["model_config"], name))
            _take(model, _in_groups(model, opened["model_weights"], name))
            state = _arrays_of(opened.get("optimizer_weights"))
            training = _json(opened.attrs.get("training_config", "null"), name)
    how = reader.compiled(training) if compiled else None
    if how is None:
        return model
    try:
        model.compile(**how)
    except ValueError as error:
        warnings.warn(
            f"{name}: the model is not compiled: {error} A function of your own is given as "
            "load_model(path, custom_objects={'name': function}).",
            UserWarning, stacklevel=3,
        )  # fmt: skip
        return model
    if len(state) > 1:
        _take_state(model, state, name)
    return model


def _vocabularies_of(opened: Any) -> dict[str, list[str]]:
    """Return the tokens of the text layers of a `.keras` file, by the layers' places."""
    found = {}
    for entry in opened.namelist() if isinstance(opened, zipfile.ZipFile) else ():
        parts = entry.split("/")
        if len(parts) == 4 and parts[:2] == ["assets", "layers"] and parts[3] == "vocabulary.txt":
            found[parts[2]] = opened.read(entry).decode("utf-8").split("\n")
    return found


def _version_of(opened: Any, name: str) -> str:
    """Return the version of the Keras that wrote a file; files of Keras 1.0 do not say."""
    if isinstance(opened, zipfile.ZipFile):
        if "metadata.json" not in opened.namelist():
            return "3"
        return str(_json(opened.read("metadata.json"), name).get("keras_version", "3"))
    version = opened.attrs.get("keras_version", "1")
    return version.decode() if isinstance(version, bytes) else str(version)


def save_model(model: Model, path: Any, *, include_optimizer: bool = True) -> None:
    """Write a model to a `.keras` or `.h5` file, aside and then into place."""
    h5py, name = _h5py(), os.fspath(path)
    whole = name.endswith(".keras")
    writer = Writer(3 if whole or not _is_plain(model) else 2)
    _ = model.graph  # or it has no weights to save
    entry = writer.model(model)
    training = writer.compiled(model) if include_optimizer else None
    state = _state_of(model) if training else []
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        if whole:
            _put_in_layers(model, file)
            _put_list(file.require_group("optimizer/vars"), state)
        else:
            file.attrs["keras_version"] = _WRITTEN_AS[writer.style]
            file.attrs["backend"] = "tensorflow"
            file.attrs["model_config"] = json.dumps(entry)
            if training:
                optimizer = training["optimizer"]
                config = {k: v for k, v in training.items() if k != "optimizer"}
                file.attrs["training_config"] = json.dumps(config | {"optimizer_config": optimizer})
            _put_in_groups(model, file.create_group("model_weights"))
            if state:
                names = [f"optimizer/{i}" for i in range(len(state))]
                _put_named(file.create_group("optimizer_weights"), names, state)
    data = buffer.getvalue()
    if whole:
        about = {"keras_version": _WRITTEN_AS[3],
                 "date_saved": f"{datetime.now():%Y-%m-%d@%H:%M:%S}"}  # fmt: skip
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("metadata.json", json.dumps(about))
            archive.writestr("config.json", json.dumps(entry | {"compile_config": training}))
            archive.writestr("model.weights.h5", data)
        data = buffer.getvalue()
    with store.writing(path) as target:
        target.write(data)


# ---- weights alone ----------------------------------------------------------------


def save_weights(model: Model, path: Any) -> None:
    """Write weights: as Keras 3 does for a name that ends in .weights.h5, else as Keras 2."""
    h5py, buffer = _h5py(), io.BytesIO()
    _ = model.graph
    with h5py.File(buffer, "w") as file:
        if os.fspath(path).endswith(".weights.h5"):
            _put_in_layers(model, file)
            if model.optimizer is not None:
                state = _state_of(model)  # of one that has taken no step, Keras keeps but two
                _put_list(file.require_group("optimizer/vars"), state if model.step else state[:2])
        else:
            _put_in_groups(model, file)
    with store.writing(path) as target:
        target.write(buffer.getvalue())


def load_weights(
    model: Model, path: Any, *, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Take the weights of a file of weights or of a model.

    by_name: of the layers of the file that are called like those of the model, and
    skip_mismatch: of these where they have its shapes.
    """
    name, h5py = os.fspath(path), _h5py()
    _ = model.graph
    with _reading(name) as opened:
        if isinstance(opened, zipfile.ZipFile):
            with h5py.File(io.BytesIO(opened.read("model.weights.h5")), "r") as file:
                found = _in_layers(model, file, name)
        elif "layer_names" in opened.attrs or "model_weights" in opened:
            group = opened.get("model_weights", opened)
            found = _in_groups(model, group, name, by_name=by_name, skip_mismatch=skip_mismatch)
        else:
            found = _in_layers(model, opened, name)
    _take(model, found)


class _reading:  # noqa: N801  (a context manager, used like a function)
    """Opens a file of either kind; what is broken in it becomes a FileFormatError."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> Any:
        if not os.path.isfile(self.name):
            raise FileNotFoundError(f"{self.name}: there is no such file.")
        if zipfile.is_zipfile(self.name):
            self.file: Any = zipfile.ZipFile(self.name)
        else:
            try:
                self.file = _h5py().File(self.name, "r")
            except OSError as error:
                raise FileFormatError(
                    f"{self.name}: expected a .keras file (a zip) or an .h5 file (HDF5); it is "
                    f"damaged or neither ({error})."
                ) from None
        return self.file

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.file.close()
        if isinstance(error, (*BROKEN, OSError, zipfile.BadZipFile, zlib.error, RuntimeError)):
            if isinstance(error, FileFormatError):
                return
            raise FileFormatError(f"{self.name}: does not fit together: {error!r}.") from error


def _json(text: Any, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{name}: its config is not JSON ({error}).") from None


# ---- weights by where they stand ----------------------------------------------------


def _take(model: Model, found: Mapping[int, tuple[Layer, dict[str, Any]]]) -> None:
    """Give layers the weights found for them; all fit, or none is taken."""
    for layer, arrays in found.values():
        held = layer._weights or {}
        for name, array in arrays.items():
            if held[name].shape != array.shape:
                raise FileFormatError(
                    f"layer {layer.name!r}: {name} has the shape {held[name].shape}; the file's "
                    f"has {array.shape}."
                )
    for layer, arrays in found.values():
        held = layer._weights or {}
        layer._weights = held | {k: np.array(v, held[k].dtype) for k, v in arrays.items()}


def _by_training(unit: Any) -> tuple[list[Place], list[Place]]:
    """Return the weights of a layer, or of a model inside: those that are trained, the others."""
    trained: list[Place] = []
    fixed: list[Place] = []
    for layer in unit._layers if isinstance(unit, Model) else [unit]:
        for name in layer._weights or {}:
            still = not layer.trainable or name in layer.fixed
            (fixed if still else trained).append((layer, name))
    return trained, fixed


def _in_order(unit: Any) -> list[Place]:
    """Return the weights of a layer, or of a model inside, as Keras orders them: trained first."""
    trained, fixed = _by_training(unit)
    return trained + fixed


def _paths(model: Model, start: str = "") -> Iterator[tuple[Layer, str, str]]:
    """Yield (layer, its weight, where that stands in a file of Keras 3)."""
    used: dict[str, int] = {}
    for unit in model.layers:
        inner = isinstance(unit, Model)
        kind = type(unit).__name__
        if inner:
            kind = "Sequential" if hasattr(unit, "add") else "Functional"
        base = snake_case("InputLayer" if isinstance(unit, Input) else kind)
        used[base] = number = used.get(base, -1) + 1
        place = f"{start}layers/{base}{f'_{number}' if number else ''}"
        if inner:
            yield from _paths(unit, f"{place}/")
            continue
        own = list(unit._weights or {})
        for name, path in zip(own, _paths_inside(unit, own), strict=True):
            yield unit, name, f"{place}/{path}"


def _paths_inside(layer: Layer, names: Sequence[str]) -> list[str]:
    """Return where the weights of a layer stand below its group."""
    if isinstance(layer, Bidirectional):
        parts = {"forward": ("forward_layer", layer.forward_layer),
                 "backward": ("backward_layer", layer.backward_layer)}  # fmt: skip
        return [path for own, (theirs, inner) in parts.items()
                for path in _below(inner, theirs, own, names)]  # fmt: skip
    if isinstance(layer, TimeDistributed):
        return _below(layer.layer, "layer", "layer", names)
    if isinstance(layer, MultiHeadAttention):
        ends = {"attention_output": "output_dense"}
        parts_of = [name.split("/") for name in names]
        return [f"{ends.get(part, f'{part}_dense')}/vars/{int(kind == 'bias')}"
                for part, kind in parts_of]  # fmt: skip
    ordered = [n for n in names if n not in layer.fixed] + [n for n in names if n in layer.fixed]
    inside = "cell/" if isinstance(layer, Recurrent) else ""
    return [f"{inside}vars/{ordered.index(name)}" for name in names]


def _below(layer: Layer, theirs: str, own: str, names: Sequence[str]) -> list[str]:
    start = f"{own}/"
    mine = [name.removeprefix(start) for name in names if name.startswith(start)]
    return [f"{theirs}/{path}" for path in _paths_inside(layer, mine)]


def _in_layers(model: Model, file: Any, name: str) -> dict[int, tuple[Layer, dict[str, Any]]]:
    """Return the weights of each layer in a file of Keras 3."""
    found: dict[int, tuple[Layer, dict[str, Any]]] = {}
    start = "" if "layers" in file else "_layer_checkpoint_dependencies/"
    for layer, weight, path in _paths(model):
        path = path if not start else start + path.removeprefix("layers/")
        if path not in file:  # tf.keras had the parts of its attention under private names
            path = re.sub(r"/(\w+_dense)/", r"/_\1/", path)
        if path not in file:
            raise FileFormatError(
                f"{name}: has no {weight} for layer {layer.name!r}, a {type(layer).__name__} "
                f"(looked for {path}): it is of another model."
            )
        found.setdefault(id(layer), (layer, {}))[1][weight] = np.asarray(file[path])
    return found


def _put_in_layers(model: Model, file: Any) -> None:
    for layer, weight, path in _paths(model):
        file[path] = np.asarray((layer._weights or {})[weight])
        group = "/".join(path.split("/")[:2]) + "/vars"
        file.require_group(group).attrs["name"] = layer.name


def _put_list(group: Any, arrays: Sequence[Any]) -> None:
    for i, array in enumerate(arrays):
        group[str(i)] = array


# ---- weights by layer names ---------------------------------------------------------


def _names(group: Any, key: str) -> list[str]:
    """Return an attribute that is a list of names; a long one stands in several."""
    parts = [group.attrs[key]] if key in group.attrs else []
    while not parts or f"{key}{len(parts)}" in group.attrs:
        if f"{key}{len(parts)}" not in group.attrs:
            break
        parts.append(group.attrs[f"{key}{len(parts)}"])
    found = [one for part in parts for one in part]
    return [one.decode() if isinstance(one, bytes) else str(one) for one in found]


def _put_names(group: Any, key: str, names: Sequence[str]) -> None:
    encoded = [name.encode() for name in names]
    width = max(map(len, encoded), default=1)
    size = max(1, _ATTRIBUTE // width)
    chunks = [encoded[i : i + size] for i in range(0, len(encoded), size)] or [[]]
    for i, chunk in enumerate(chunks):
        attribute = key if len(chunks) == 1 else f"{key}{i}"
        group.attrs[attribute] = np.array(chunk, f"S{width}")


def _arrays_of(group: Any) -> list[Any]:
    names = [] if group is None else _names(group, "weight_names")
    return [np.asarray(group[one]) for one in names]


def _in_groups(
    model: Model, group: Any, name: str, *, by_name: bool = False, skip_mismatch: bool = False
) -> dict[int, tuple[Layer, dict[str, Any]]]:
    """Return the weights of each layer in a file of Keras 2."""
    theirs = {one: arrays for one in _names(group, "layer_names")
              if (arrays := _arrays_of(group[one]))}  # fmt: skip
    ours = {unit.name: unit for unit in model.layers if _in_order(unit)}
    if by_name or set(ours) == set(theirs):
        pairs = [(unit, theirs[one]) for one, unit in ours.items() if one in theirs]
    elif len(ours) != len(theirs):
        raise FileFormatError(
            f"{name}: has weights for {len(theirs)} layers {sorted(theirs)}; the model has "
            f"{len(ours)} {sorted(ours)}. by_name=True takes those that are called alike."
        )
    else:
        pairs = list(zip(ours.values(), theirs.values(), strict=True))
    found: dict[int, tuple[Layer, dict[str, Any]]] = {}
    for unit, arrays in pairs:
        places = _in_order(unit)
        arrays = _of_keras_1(unit, arrays, len(places))
        shapes = [(layer._weights or {})[weight].shape for layer, weight in places]
        if [array.shape for array in arrays] != shapes:
            if by_name and skip_mismatch:
                continue
            raise FileFormatError(
                f"{name}: layer {unit.name!r} has weights of the shapes {shapes}; the file's have "
                f"{[array.shape for array in arrays]}."
            )
        for (layer, weight), array in zip(places, arrays, strict=True):
            found.setdefault(id(layer), (layer, {}))[1][weight] = array
    return found


def _of_keras_1(unit: Any, arrays: list[Any], n: int) -> list[Any]:
    """Return weights as they are today: Keras 1 kept those of each gate apart."""
    gates = {"LSTM": (0, 2, 1, 3), "GRU": (0, 1, 2)}  # Keras 1 had the LSTM's cell second
    if isinstance(unit, Bidirectional) and len(arrays) > n:
        half = len(arrays) // 2
        parts = ((unit.forward_layer, arrays[:half]), (unit.backward_layer, arrays[half:]))
        return [one for layer, own in parts for one in _of_keras_1(layer, own, n // 2)]
    kind = type(unit).__name__
    if kind in gates and len(arrays) == 3 * len(gates[kind]):
        return [np.concatenate([arrays[3 * g + i] for g in gates[kind]], axis=-1) for i in range(3)]
    if kind == "Conv1D" and arrays[0].ndim == 4:
        return [arrays[0][:, 0], *arrays[1:]]
    return arrays


def _put_in_groups(model: Model, group: Any) -> None:
    group.attrs["keras_version"], group.attrs["backend"] = _WRITTEN_AS[2], "tensorflow"
    _put_names(group, "layer_names", [unit.name for unit in model.layers])
    for unit in model.layers:
        places = _in_order(unit)
        names = [f"{unit.name}/{layer.name}/{weight}:0" for layer, weight in places]
        arrays = [np.asarray((layer._weights or {})[weight]) for layer, weight in places]
        _put_named(group.create_group(unit.name), names, arrays)


def _put_named(group: Any, names: Sequence[str], arrays: Sequence[Any]) -> None:
    _put_names(group, "weight_names", names)
    for name, array in zip(names, arrays, strict=True):
        group[name] = array


def _is_plain(model: Model) -> bool:
    """Return whether Keras 2's way to write calls down says all there is to say of them."""
    if model._input_names is not None or model._output_names is not None:
        return False
    for node in model.graph.nodes:
        several = isinstance(node.layer, Recurrent | Bidirectional) and len(node.inputs) > 1
        if several or isinstance(node.layer, Attention | MultiHeadAttention):
            return False
    return all(_is_plain(unit) for unit in model.layers if isinstance(unit, Model))


# ---- the optimizer's state ----------------------------------------------------------


def _slot_groups(optimizer: Any) -> list[list[str]]:
    """Return our names of the state that Keras keeps for each weight, by how it orders them.

    Those of a group stand together, weight by weight; the groups follow one another.
    """
    slots = list(optimizer.slots)
    together = slots[:2] if slots[:2] in (["m", "v"], ["m", "u"], ["accumulator", "change"]) else []
    rest = [[slot] for slot in slots[len(together) :]]
    return [together, *rest] if together else rest


def _state_of(model: Model) -> list[Any]:
    """Return Keras's list: steps, learning rate, and what belongs to each weight."""
    optimizer, step = model.optimizer, model.step
    slots = model.trainer.slots_in_full() if step else {}
    found = [np.array(step, np.int32), np.array(optimizer.rate(step), np.float32)]
    if not isinstance(optimizer.learning_rate, int | float):
        del found[1]  # a schedule is no variable
    trained, _ = _by_training(model)
    for group in _slot_groups(optimizer):
        for layer, name in trained:
            own = slots.get((layer.name, name)) or optimizer.init(layer._weights[name])  # type: ignore[index]
            found += [np.asarray(own[slot]) for slot in group]
    if isinstance(optimizer, Nadam):
        found.append(np.array(optimizer.product(step), np.float32))
    return found


def _take_state(model: Model, state: list[Any], name: str) -> None:
    """Go on where the optimizer was; a warning where its state is not understood."""
    optimizer, (trained, _) = model.optimizer, _by_training(model)
    step, rest = int(state[0]), state[1:]
    if not step and len(rest) <= 1:  # it has not been trained yet
        return
    if isinstance(optimizer, Nadam) and not rest[-1].shape:
        rest = rest[:-1]  # the product of its momenta, which follows from the steps
    together = _slot_groups(optimizer)
    apart = [[slot] for group in together for slot in group]
    has_rate = len(rest) == 1 + len(apart) * len(trained)
    if has_rate:  # Keras 3 keeps the learning rate there
        if isinstance(optimizer.learning_rate, int | float):
            optimizer.learning_rate = float(rest[0])
        rest = rest[1:]
    # Keras 2 had all of one kind, and then all of the next.
    ways = (together, apart) if has_rate else (apart, together)
    found = [slots for way in ways if (slots := _slots_in(rest, way, trained)) is not None]
    if not found:
        warnings.warn(
            f"{name}: the state of the optimizer is not understood ({len(state)} arrays): training "
            "goes on with a new one.",
            UserWarning, stacklevel=5,
        )  # fmt: skip
        return
    trainer = Trainer(model.graph, optimizer, model.objective, model._seed)
    tables = {path: np.full(len(next(iter(own.values()))), step, np.int32)
              for path, own in found[0].items() if path[1] == "embeddings" and own}  # fmt: skip
    trainer.take_over_steps(step, found[0], tables)
    model._trainer = trainer


def _slots_in(
    rest: Sequence[Any], groups: Sequence[Sequence[str]], trained: Sequence[Place]
) -> dict[tuple[str, str], dict[str, Any]] | None:
    """Return the state by weight and name, as groups are ordered; None where it does not fit."""
    slots: dict[tuple[str, str], dict[str, Any]] = {(one.name, w): {} for one, w in trained}
    expected = [(layer, weight, slot) for group in groups for layer, weight in trained
                for slot in group]  # fmt: skip
    if len(rest) != len(expected):
        return None
    for array, (layer, weight, slot) in zip(rest, expected, strict=True):
        if array.shape != (layer._weights or {})[weight].shape:
            return None
        slots[layer.name, weight][slot] = array
    return slots
