"""Whether a model honours masks throughout, so that padding need not be computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wordrow.nn.graph.graph import Edge, Graph

__all__ = ["honours_padding"]

# The outputs on an edge: steps without a mask, steps with a mask, or no steps.
Steps = Literal["unmasked", "masked", "none"]


def honours_padding(graph: Graph, masked: Sequence[bool]) -> bool:
    """Return whether padding can be trimmed: every step is masked until it is pooled.

    masked: which inputs come with a mask.
    """
    holds: dict[Edge, Steps] = {}
    for number, has_mask in zip(graph.inputs, masked, strict=True):
        has_steps = len(graph.nodes[number].layer.output_spec.shape) > 1
        holds[number, 0] = "masked" if has_mask else "unmasked" if has_steps else "none"
    for number, node in enumerate(graph.nodes):
        if not node.inputs:
            continue
        taken = {holds[edge] for edge in node.inputs}
        layer = node.layer
        after: Steps = "masked"
        if "unmasked" in taken:
            if not layer.makes_mask:
                return False
        elif taken == {"none"}:
            after = "none"
        elif layer.mask is not None or layer.mask_rule == "refuses":
            return False
        elif layer.mask_rule == "consumes":
            after = "none"
        elif taken != {"masked"} and layer.takes_list:
            return False
        specs = layer.output_spec
        for index in range(len(specs) if isinstance(specs, list) else 1):
            holds[number, index] = after if index == 0 else "none"
    return all(holds[edge] == "none" for edge in graph.outputs)
