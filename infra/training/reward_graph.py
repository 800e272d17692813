"""The ONNX graph of a bundled scorer: the frozen bundled decoder, with a logistic head over features of its outputs."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from infra.training.graph import Graph

SCALARS = ("mean", "least", "surprise", "uncertainty", "length")
"""The features other than hidden states, in order, over the tokens of the sample: mean log-probability, lowest
log-probability, mean squared log-probability, mean entropy (nats), and the logarithm of the number of tokens."""


class RewardGraph(Graph):
    """From `input_ids` and `token_type_ids` (0 in the prompt, 1 in the sample), both [b, s] without padding, to
    `logits`, [b, 1]: the log-odds that the sample is correct."""

    def features(self) -> str:
        """[b, features]: the hidden state of the last token, the mean hidden state over the sample, and `SCALARS`."""
        length = self.op("Shape", "input_ids", start=1, end=2)
        places = self.op("Range", self.constant(0), self.op("Squeeze", length), self.constant(1))
        shape = self.op("Shape", "input_ids")
        self.op("Expand", self.op("Unsqueeze", places, self.constant([0])), shape, output="position_ids")
        self.op("Expand", self.constant(1), shape, output="attention_mask")
        hidden = self.hidden()
        sampled = self.op("Cast", "token_type_ids", to=TensorProto.FLOAT)
        number = self.op("ReduceSum", sampled, self.constant([1]), keepdims=1)
        number = self.op("Max", number, self.constant(1.0, np.float32))
        last = self.op("Squeeze", self._columns(hidden, -1, None), self.constant([1]))
        weighted = self.op("Mul", hidden, self.op("Unsqueeze", sampled, self.constant([2])))
        mean_hidden = self.op("Div", self.op("ReduceSum", weighted, self.constant([1]), keepdims=0), number)
        # The log-probabilities of all tokens at each position, before the next token is read.
        before = self._columns(self.op("LogSoftmax", self.linear(hidden, "model.embed_tokens"), axis=-1), 0, -1)
        drawn = self.op("Unsqueeze", self._columns("input_ids", 1, None), self.constant([2]))
        logprob = self.op("Squeeze", self.op("GatherElements", before, drawn, axis=2), self.constant([2]))
        mask = self._columns(sampled, 1, None)
        logprob = self.op("Mul", logprob, mask)
        products = self.op("Mul", self.op("Exp", before), before)
        entropy = self.op("Mul", self.op("Neg", self.op("ReduceSum", products, self.constant([2]), keepdims=0)), mask)
        scalars = [
            self._mean(logprob, number),
            self.op("ReduceMin", logprob, self.constant([1]), keepdims=1),
            self._mean(self.op("Mul", logprob, logprob), number),
            self._mean(entropy, number),
            self.op("Log", number),
        ]
        return self.op("Concat", last, mean_hidden, *scalars, axis=1)

    def model_of_features(self) -> onnx.ModelProto:
        """The graph that returns the features, to train a head on them."""
        self.op("Identity", self.features(), output="features")
        return self._model("features", self.shape.hidden * 2 + len(SCALARS))

    def model(self, weights: NDArray[np.float32], bias: float) -> onnx.ModelProto:
        """The graph with a trained head, whose `weights` are [features]."""
        product = self.op("MatMul", self.features(), self.constant(weights[:, None], np.float32))
        self.op("Add", product, self.constant(bias, np.float32), output="logits")
        return self._model("logits", 1)

    def _model(self, output: str, width: int) -> onnx.ModelProto:
        names = ("input_ids", "token_type_ids")
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "s"]) for name in names]
        return self.finished(inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["b", width])])

    def _columns(self, x: str, start: int, stop: int | None) -> str:
        """The positions [start, stop) of the second axis."""
        end = np.iinfo(np.int64).max if stop is None else stop
        return self.op("Slice", x, self.constant([start]), self.constant([end]), self.constant([1]))

    def _mean(self, x: str, number: str) -> str:
        return self.op("Div", self.op("ReduceSum", x, self.constant([1]), keepdims=1), number)
