"""ONNX graphs over the weights of a bundled model; needs no PyTorch."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from infra.training.shape import Shape

OPSET = 18
IR_VERSION = 9


class Graph:
    """Builds the graph of a decoder node by node. Shapes: b is the batch, s new tokens, p past tokens, t = p + s."""

    def __init__(self, shape: Shape, weights: Path) -> None:
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.weights = weights
        with weights.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            self.header = json.loads(file.read(header_bytes))
        self.data_start = 8 + header_bytes
        self.loaded: dict[str, str] = {}

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        """Add a node with one output and return the output's name."""
        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, dtype: type = np.int64) -> str:
        """A small constant, stored in the graph itself."""
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def weight(self, name: str) -> str:
        """A stored weight as float32, by its name in the weights file."""
        if name not in self.loaded:
            self.initializers.append(self._external(name))
            self.loaded[name] = self.op("Cast", f"{name}.stored", to=TensorProto.FLOAT)
        return self.loaded[name]

    def linear(self, x: str, *names: str, output: str | None = None) -> str:
        """Multiply by one or more stored matrices, concatenated: [..., in] to [..., sum of their outputs]."""
        weights = [self.weight(f"{name}.weight") for name in names]
        joined = self.op("Concat", *weights, axis=0) if len(weights) > 1 else weights[0]
        return self.op("MatMul", x, self.op("Transpose", joined, perm=[1, 0]), output=output)

    def split(self, x: str, sizes: list[int], axis: int) -> list[str]:
        """Cut a tensor along an axis."""
        names = [f"split_{len(self.nodes)}_{i}" for i in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [x, self.constant(sizes)], names, axis=axis))
        return names

    def _external(self, name: str) -> onnx.TensorProto:
        entry = self.header[name]
        start, end = entry["data_offsets"]
        tensor = TensorProto(name=f"{name}.stored", data_type=TensorProto.FLOAT16, dims=entry["shape"])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ("location", self.weights.name),
            ("offset", self.data_start + start),
            ("length", end - start),
        ):
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def hidden(self) -> str:
        """The output of the last norm, [b, s, hidden], from `input_ids`, `position_ids` and `attention_mask`."""
        self._positions()
        x = self.op("Gather", self.weight("model.embed_tokens.weight"), "input_ids")
        for layer in range(self.shape.layers):
            x = self._layer(x, layer)
        return self._norm(x, "model.norm")

    def remembered(self, layer: int, k: str, v: str) -> tuple[str, str]:  # noqa: ARG002 - for subclasses with a cache
        """The keys and values of all tokens, [b, kv, t, head], from those of the new ones, [b, kv, s, head]."""
        return k, v

    def finished(self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """A model with the nodes added so far."""
        graph = helper.make_graph(self.nodes, "decoder", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="monkeys")

    def _positions(self) -> None:
        """Add `cos` and `sin`, [b, 1, s, head], and `bias`, [b, 1, s, t]: 0 where a query may attend, else very low."""
        shape = self.shape
        frequencies = shape.rope_theta ** (-np.arange(0, shape.head, 2) / shape.head)
        places = self.op("Unsqueeze", "position_ids", self.constant([1, 3]))
        angles = self.op(
            "Mul", self.op("Cast", places, to=TensorProto.FLOAT), self.constant(np.tile(frequencies, 2), np.float32)
        )
        self.op("Cos", angles, output="cos")
        self.op("Sin", angles, output="sin")
        length = self.op("Shape", "attention_mask", start=1, end=2)
        scalar = self.constant(0)
        keys = self.op("Range", scalar, self.op("Squeeze", length), self.constant(1))
        new = self.op("Shape", "input_ids", start=1, end=2)
        past = self.op("Sub", length, new)
        queries = self.op("Add", self.op("Range", scalar, self.op("Squeeze", new), self.constant(1)), past)
        earlier = self.op("LessOrEqual", keys, self.op("Unsqueeze", queries, self.constant([1])))
        real = self.op("Cast", self.op("Unsqueeze", "attention_mask", self.constant([1, 2])), to=TensorProto.BOOL)
        self.op(
            "Where",
            self.op("And", earlier, real),
            self.constant(0.0, np.float32),
            self.constant(np.finfo(np.float32).min, np.float32),
            output="bias",
        )

    def _norm(self, x: str, name: str) -> str:
        # ONNX Runtime fuses exactly this sequence of operations into one.
        mean = self.op("ReduceMean", self.op("Pow", x, self.constant(2.0, np.float32)), self.constant([-1]), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.constant(self.shape.norm_epsilon, np.float32)))
        return self.op("Mul", self.op("Div", x, root), self.weight(f"{name}.weight"))

    def _rotate(self, x: str) -> str:
        half = self.shape.head // 2
        first, second = self.split(x, [half, half], axis=3)
        turned = self.op("Concat", self.op("Neg", second), first, axis=3)
        return self.op("Add", self.op("Mul", x, "cos"), self.op("Mul", turned, "sin"))

    def _layer(self, x: str, layer: int) -> str:
        shape, name = self.shape, f"model.layers.{layer}"
        y = self._norm(x, f"{name}.input_layernorm")
        projected = self.linear(y, *(f"{name}.self_attn.{part}_proj" for part in "qkv"))
        by_head = self.op("Reshape", projected, self.constant([0, 0, -1, shape.head]))
        by_head = self.op("Transpose", by_head, perm=[0, 2, 1, 3])
        qk, v = self.split(by_head, [shape.heads + shape.kv_heads, shape.kv_heads], axis=1)
        q, k = self.split(self._rotate(qk), [shape.heads, shape.kv_heads], axis=1)
        k, v = self.remembered(layer, k, v)
        x = self.op("Add", x, self.linear(self._attend(q, k, v), f"{name}.self_attn.o_proj"))
        y = self._norm(x, f"{name}.post_attention_layernorm")
        both = self.linear(y, f"{name}.mlp.gate_proj", f"{name}.mlp.up_proj")
        gate, up = self.split(both, [shape.feed_forward] * 2, axis=2)
        inner = self.op("Mul", self.op("Mul", gate, self.op("Sigmoid", gate)), up)
        return self.op("Add", x, self.linear(inner, f"{name}.mlp.down_proj"))

    def _attend(self, q: str, k: str, v: str) -> str:
        """Attention, [b, s, heads * head]. The queries that share a key-value head are stacked
        ([b, kv, group * s, head]), so that keys and values need not be repeated."""
        shape = self.shape
        q = self.op("Mul", q, self.constant(shape.head**-0.5, np.float32))
        stacked = self.op("Reshape", q, self.constant([0, shape.kv_heads, -1, shape.head]))
        scores = self.op("MatMul", stacked, self.op("Transpose", k, perm=[0, 1, 3, 2]))
        total = self.op("Shape", k, start=2, end=3)
        by_head = self.op("Concat", self.constant([0, shape.heads, -1]), total, axis=0)
        scores = self.op("Add", self.op("Reshape", scores, by_head), "bias")
        weights = self.op("Softmax", scores, axis=-1)
        grouped = self.op("Concat", self.constant([0, shape.kv_heads, -1]), total, axis=0)
        mixed = self.op("MatMul", self.op("Reshape", weights, grouped), v)
        mixed = self.op("Reshape", mixed, self.constant([0, shape.heads, -1, shape.head]))
        mixed = self.op("Transpose", mixed, perm=[0, 2, 1, 3])
        return self.op("Reshape", mixed, self.constant([0, 0, shape.heads * shape.head]))


class DecoderGraph(Graph):
    """A decoder with a key-value cache, from token ids to the logits of the next tokens."""

    def model(self) -> onnx.ModelProto:
        """The whole decoder."""
        shape = self.shape
        self.linear(self.hidden(), "model.embed_tokens", output="logits")
        pasts = [
            helper.make_tensor_value_info(
                f"past_key_values.{layer}.{part}", TensorProto.FLOAT, ["b", shape.kv_heads, "p", shape.head]
            )
            for layer in range(shape.layers)
            for part in ("key", "value")
        ]
        presents = [
            helper.make_tensor_value_info(
                f"present.{layer}.{part}", TensorProto.FLOAT, ["b", shape.kv_heads, "t", shape.head]
            )
            for layer in range(shape.layers)
            for part in ("key", "value")
        ]
        inputs = [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"]),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["b", "t"]),
            helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["b", "s"]),
            *pasts,
        ]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", "s", shape.vocabulary])
        return self.finished(inputs, [logits, *presents])

    def remembered(self, layer: int, k: str, v: str) -> tuple[str, str]:
        """The cached keys and values followed by the new ones."""
        return (
            self.op("Concat", f"past_key_values.{layer}.key", k, axis=2, output=f"present.{layer}.key"),
            self.op("Concat", f"past_key_values.{layer}.value", v, axis=2, output=f"present.{layer}.value"),
        )
