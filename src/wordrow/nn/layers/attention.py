"""Attention: each query is a weighted mean of the values.

Masked values get no weight, and masked queries give zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Unpack

import numpy as np

from wordrow.arguments import share, whole_number
from wordrow.errors import show
from wordrow.nn import ops
from wordrow.nn.graph.symbol import symbols_in
from wordrow.nn.layers.contract import LayerOptions, Role, WeightRule
from wordrow.nn.layers.dense import KernelOptions, last_axis
from wordrow.nn.layers.layer import Layer
from wordrow.nn.spec import Array, Arrays, Mask, Rng, Spec, Specs

__all__ = ["AdditiveAttention", "Attention", "MultiHeadAttention"]

_LEAST = np.float32(-3e38)


def _attention_weights(
    scores: Array, value_mask: Mask, *, causal: bool, allowed: Array | None = None
) -> Array:
    """Return the attention weights [..., T, S] for scores of that shape.

    Values that are masked, not allowed or, if causal, later than the query get no weight.
    """
    xp = ops.namespace(scores)
    n_queries, n_values = scores.shape[-2:]
    if value_mask is not None:
        wide = value_mask.reshape(len(value_mask), *(1,) * (scores.ndim - 2), n_values)
        scores = xp.where(wide, scores, _LEAST)
    if allowed is not None:
        scores = xp.where(allowed, scores, _LEAST)
    if causal:
        earlier = np.tril(np.ones((n_queries, n_values), bool))
        scores = xp.where(earlier, scores, _LEAST)
    return ops.softmax(scores)


class _Calls(Layer):
    """A layer that Keras calls with several arguments, which are a list of inputs here."""

    takes_list = True

    def __init__(self, **options: Any) -> None:
        self.causal = bool(options.pop("causal", False))
        self.with_scores = bool(options.pop("with_scores", False))
        super().__init__(**options)

    def _called(
        self, inputs: list[Any], mask: Mask, training: bool | None, options: dict[str, Any]
    ) -> Any:
        """Call the layer on a list. All calls of a layer must use the same options."""
        for name in ("causal", "with_scores"):
            if options[name] and not getattr(self, name) and self.built:
                raise ValueError(
                    f"{type(self).__name__} ({self.name!r}) was called before without this: all "
                    "calls of a layer must say the same. Use a new layer."
                )
            setattr(self, name, options[name] or getattr(self, name))
        return super().__call__(inputs, mask, training=training)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        calls = {name: True for name in ("causal", "with_scores") if getattr(self, name)}
        return super().get_config() | calls


class Attention(_Calls):
    """Attention by dot products of queries and keys, with a softmax over the values.

    Luong et al. 2015. Called on [query, value] or [query, value, key]: [B, T, D], [B, S, E],
    [B, S, D] -> [B, T, E]. use_scale: the scores are multiplied by a learned scalar.
    score_mode: "dot", or "concat": the sum of tanh(query + key), times a learned scalar.
    use_causal_mask: a query does not see later values. return_attention_scores: also return the
    attention weights [B, T, S]. Propagates the query's mask.

    >>> query, value = np.ones((1, 2, 3), np.float32), np.ones((1, 4, 3), np.float32)
    >>> Attention()([query, value]).shape
    (1, 2, 3)
    """

    kinds: ClassVar = {"scale": "ones", "concat_score_weight": "ones"}

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: Literal["dot", "concat"] = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"`score_mode` must be 'dot' or 'concat'; received {show(score_mode)}."
            )
        self.use_scale, self.score_mode = bool(use_scale), score_mode
        self.dropout, self.seed = share("dropout", dropout), seed

    def __call__(  # type: ignore[override]
        self,
        inputs: Any,
        mask: Mask = None,
        *,
        training: bool | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
    ) -> Any:
        """Return the outputs for [query, value] or [query, value, key]."""
        options = {"causal": use_causal_mask, "with_scores": return_attention_scores}
        return self._called(inputs, mask, training, options)

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Specs]:
        """Check the shapes, and draw the weights."""
        shapes = [one.shape for one in spec]
        fit = len(shapes) in (2, 3) and all(len(shape) == 3 for shape in shapes)
        if not fit or shapes[0][-1] != shapes[-1][-1]:
            raise ValueError(
                f"{type(self).__name__} ({self.name!r}) takes [query, value] or [query, value, "
                "key], each [batch, steps, features], with as many features in query and key; "
                f"received the shapes {shapes}."
            )
        outputs = Spec((*shapes[0][:2], shapes[1][-1]))
        if self.with_scores:
            return self._drawn(spec, rng), {}, [outputs, Spec((*shapes[0][:2], shapes[1][1]))]
        return self._drawn(spec, rng), {}, outputs

    def _drawn(self, spec: list[Spec], rng: np.random.Generator) -> Arrays:
        kinds = (("scale", self.use_scale), ("concat_score_weight", self.score_mode == "concat"))
        return {kind: self.draw(kind, (), rng) for kind, used in kinds if used}

    def _scores(self, weights: Arrays, query: Array, key: Array) -> Array:
        if self.score_mode == "dot":
            return query @ key.swapaxes(1, 2) * weights.get("scale", np.float32(1))
        both = query[:, :, None] + key[:, None]
        activated = ops.namespace(query).tanh(weights.get("scale", np.float32(1)) * both)
        return weights["concat_score_weight"] * activated.sum(axis=-1)

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return each query's weighted mean of the values."""
        query, value = inputs[:2]
        key, mask = inputs[-1], mask if isinstance(mask, list) else [mask] * len(inputs)
        probabilities = _attention_weights(
            self._scores(weights, query, key), mask[1], causal=self.causal
        )
        if training and self.dropout:
            probabilities = ops.dropout(probabilities, self.dropout, rng)
        outputs = ops.fill_masked(probabilities @ value, mask[0])
        if self.with_scores:
            return [outputs, probabilities], [mask[0], None], state
        return outputs, mask[0], state

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        config = super().get_config() | {
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }
        return {k: v for k, v in config.items() if not k.endswith("_initializer")}


class AdditiveAttention(Attention):
    """Attention by sums of tanh(query + key), times a learned vector (Bahdanau et al. 2014).

    >>> query, value = np.ones((1, 2, 3), np.float32), np.ones((1, 4, 3), np.float32)
    >>> AdditiveAttention()([query, value]).shape
    (1, 2, 3)
    """

    kinds: ClassVar = {"scale": "glorot_uniform"}

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(use_scale, "dot", dropout, seed, **options)

    def _drawn(self, spec: list[Spec], rng: np.random.Generator) -> Arrays:
        dim = last_axis(self, spec[0])
        return {"scale": self.draw("scale", (dim,), rng)} if self.use_scale else {}

    def _scores(self, weights: Arrays, query: Array, key: Array) -> Array:
        both = ops.namespace(query).tanh(query[:, :, None] + key[:, None])
        return (both * weights.get("scale", np.float32(1))).sum(axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        config = super().get_config()
        del config["score_mode"]
        return config


class MultiHeadAttention(_Calls):
    """Attention with several heads, each with its own projections (Vaswani et al. 2017).

    Called on query [B, T, D], value [B, S, E] and perhaps key -> [B, T, output_shape], D by
    default. key_dim, value_dim: the size of each head's keys and values (value_dim is key_dim by
    default). use_causal_mask: a query does not see later values. attention_mask [B, T, S]: which
    values each query may see, for calls on arrays. Propagates the query's mask.

    >>> x = np.ones((1, 4, 6), np.float32)
    >>> MultiHeadAttention(num_heads=2, key_dim=3)(x, x).shape
    (1, 4, 6)
    """

    kinds: ClassVar = {"kernel": "glorot_uniform", "bias": "zeros"}

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        *,
        seed: int | None = None,
        **options: Unpack[KernelOptions],
    ) -> None:
        super().__init__(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, **options
        )
        self.num_heads = whole_number("num_heads", num_heads)
        self.key_dim = whole_number("key_dim", key_dim)
        self.value_dim = whole_number("value_dim", key_dim if value_dim is None else value_dim)
        self.dropout, self.seed, self.use_bias = share("dropout", dropout), seed, bool(use_bias)
        given = (
            output_shape
            if output_shape is None or isinstance(output_shape, int)
            else (list(output_shape)[-1])
        )
        self.n_outputs = None if given is None else whole_number("output_shape", given)

    def __call__(  # type: ignore[override]
        self,
        query: Array,
        value: Any = None,
        key: Any = None,
        *,
        query_mask: Mask = None,
        value_mask: Mask = None,
        key_mask: Mask = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        training: bool | None = None,
    ) -> Any:
        """Return the outputs for the queries."""
        inputs = (
            list(query)
            if value is None and isinstance(query, list | tuple)
            else [one for one in (query, value, key) if one is not None]
        )
        options = {"causal": use_causal_mask, "with_scores": return_attention_scores}
        if attention_mask is not None:
            if len(inputs) == 2:
                inputs.append(inputs[1])
            inputs.append(attention_mask)
        mask = None
        if symbols_in(inputs) is None:
            mask = [query_mask, value_mask, *[None] * (len(inputs) - 2)]
        return self._called(inputs, mask, training, options)

    def build(self, spec: list[Spec], rng: np.random.Generator) -> tuple[Arrays, Arrays, Specs]:
        """Draw the projections: of query, key and value [D, heads, dim], and of the output."""
        shapes = [one.shape for one in spec]
        if not 2 <= len(shapes) <= 4 or any(len(shape) != 3 for shape in shapes[:3]):
            raise ValueError(
                f"MultiHeadAttention ({self.name!r}) takes a query, a value and perhaps a key, "
                f"each [batch, steps, features]; received the shapes {shapes}."
            )
        n_outputs = self.n_outputs or last_axis(self, spec[0])
        weights: Arrays = {}
        key = spec[2] if len(spec) > 2 else spec[1]
        for name, one, dim in (
            ("query", spec[0], self.key_dim),
            ("key", key, self.key_dim),
            ("value", spec[1], self.value_dim),
        ):
            own = (last_axis(self, one), self.num_heads, dim)
            weights[f"{name}/kernel"] = self.draw("kernel", own, rng)
            if self.use_bias:
                weights[f"{name}/bias"] = self.draw("bias", own[1:], rng)
        out = (self.num_heads, self.value_dim, n_outputs)
        weights["attention_output/kernel"] = self.draw("kernel", out, rng)
        if self.use_bias:
            weights["attention_output/bias"] = self.draw("bias", out[2:], rng)
        outputs = Spec((*shapes[0][:2], n_outputs))
        if self.with_scores:
            scores = Spec((shapes[0][0], self.num_heads, shapes[0][1], shapes[1][1]))
            return weights, {}, [outputs, scores]
        return weights, {}, outputs

    def apply(
        self,
        weights: Arrays,
        state: Arrays,
        inputs: Array,
        mask: Mask,
        *,
        training: bool,
        rng: Rng,
    ) -> tuple[Array, Mask, Arrays]:
        """Return each query's weighted mean of the values, over all heads."""
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        allowed = inputs[3] if len(inputs) > 3 else None
        mask = mask if isinstance(mask, list) else [mask] * len(inputs)
        projected = {
            name: self._projected(weights, name, x)
            for name, x in (("query", query), ("key", key), ("value", value))
        }  # each [B, heads, steps, dim]
        scores = projected["query"] @ projected["key"].swapaxes(2, 3)
        if allowed is not None:
            allowed = (allowed != 0).reshape(allowed.shape[0], 1, *allowed.shape[-2:])
        real = mask[1]
        if len(inputs) > 2 and mask[2] is not None:
            real = mask[2] if real is None else real & mask[2]
        scores = scores * np.float32(self.key_dim**-0.5)
        probabilities = _attention_weights(scores, real, causal=self.causal, allowed=allowed)
        drops = training and self.dropout
        used = ops.dropout(probabilities, self.dropout, rng) if drops else probabilities
        taken = used @ projected["value"]
        joined = taken.swapaxes(1, 2).reshape(*query.shape[:2], -1)
        kernel = weights["attention_output/kernel"]
        outputs = joined @ kernel.reshape(-1, kernel.shape[-1])
        if self.use_bias:
            outputs = outputs + weights["attention_output/bias"]
        outputs = ops.fill_masked(outputs, mask[0])
        if self.with_scores:
            return [outputs, probabilities], [mask[0], None], state
        return outputs, mask[0], state

    def _projected(self, weights: Arrays, name: str, x: Array) -> Array:
        kernel = weights[f"{name}/kernel"]
        out = x @ kernel.reshape(kernel.shape[0], -1)
        out = out.reshape(*x.shape[:2], *kernel.shape[1:])
        if self.use_bias:
            out = out + weights[f"{name}/bias"]
        return out.swapaxes(1, 2)

    def rule(self, weight: str, role: Role) -> WeightRule | None:
        """Return the regularizer or constraint of a kernel or bias."""
        return super().rule(weight.split("/", 1)[1], role)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that recreate this layer."""
        return super().get_config() | {
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self.n_outputs,
            "seed": self.seed,
        }
