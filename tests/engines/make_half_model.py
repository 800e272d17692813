"""Makes `half_model/`: a decoder whose graph differs from the bundled ones, to test what the engine reads from it.

Random weights, one layer, two key-value heads for four query heads; a float16 cache, int32 ids, no position_ids.
Needs the `train` extra: `python -m tests.engines.make_half_model`.
"""

from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from tokenizers import Tokenizer

from infra.training.export import WEIGHTS, export
from infra.training.graph import DecoderGraph
from infra.training.llama import Llama
from infra.training.shape import Shape
from tasks.engines.model_files import BUNDLED

FOLDER = Path(__file__).parent / "half_model"
SHAPE = Shape(vocabulary=512, hidden=16, layers=1, heads=4, kv_heads=2, head=4, feed_forward=16, positions=96)


def main() -> None:
    """Write the folder, without the tokenizer, which is that of a bundled model."""
    torch.manual_seed(0)
    model = Llama(SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.normal_(std=0.7)
    export(model, SHAPE, Tokenizer.from_file(str(BUNDLED / "programs" / "tokenizer.json")), FOLDER)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        (FOLDER / name).unlink()
    onnx.save(altered(DecoderGraph(SHAPE, FOLDER / WEIGHTS).model()), FOLDER / "model.onnx")
    onnx.checker.check_model(FOLDER / "model.onnx")


def altered(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same decoder with a float16 cache, int32 ids, and positions computed from the mask."""
    graph = model.graph
    before, after = [], []
    for value in [*graph.input, *graph.output]:
        if value.name.startswith(("past", "present")):
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name.startswith("past"):
                node.input[i] = f"{name}.wide"
                before.append(helper.make_node("Cast", [name], [f"{name}.wide"], to=TensorProto.FLOAT))
            if name.startswith("present"):
                node.input[i] = f"{name}.wide"
        if node.output[0].startswith("present"):
            name = node.output[0]
            node.output[0] = f"{name}.wide"
            after.append(helper.make_node("Cast", [f"{name}.wide"], [name], to=TensorProto.FLOAT16))
    before += [
        helper.make_node("Cast", ["attention_mask"], ["mask64"], to=TensorProto.INT64),
        helper.make_node("CumSum", ["mask64", "axis"], ["counted"]),
        helper.make_node("Sub", ["counted", "one"], ["places"]),
        helper.make_node("Shape", ["input_ids"], ["new"], start=1, end=2),
        helper.make_node("Neg", ["new"], ["from"]),
        helper.make_node("Slice", ["places", "from", "far", "axes"], ["position_ids"]),
    ]
    for name, value in (("axis", 1), ("one", 1)):
        graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [], [value]))
    for name, value in (("far", 2**31), ("axes", 1)):
        graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], [value]))
    inputs = [value for value in graph.input if value.name != "position_ids"]
    for value in inputs:
        if value.name in {"input_ids", "attention_mask"}:
            value.type.tensor_type.elem_type = TensorProto.INT32
    nodes = [*before, *graph.node, *after]
    del graph.input[:], graph.node[:]
    graph.input.extend(inputs)
    graph.node.extend(nodes)
    return model


if __name__ == "__main__":
    main()
