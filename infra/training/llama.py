"""A small Llama decoder in PyTorch, with the parameter names of Hugging Face's `LlamaForCausalLM`."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from infra.training.shape import Shape


class RmsNorm(nn.Module):
    """Scale each vector to unit root mean square, then multiply it by a learned weight."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.hidden))
        self.epsilon = shape.norm_epsilon

    def forward(self, x: Tensor) -> Tensor:
        """[..., hidden] to the same shape."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


class Attention(nn.Module):
    """Causal attention with rotary positions and shared key-value heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.hidden, shape.heads * shape.head, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.kv_heads * shape.head, bias=False)
        self.o_proj = nn.Linear(shape.heads * shape.head, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """[batch, length, hidden] to the same shape; `cos` and `sin` are [length, head]."""
        batch, length, _ = x.shape
        q = rotate(self.q_proj(x).view(batch, length, -1, self.shape.head).transpose(1, 2), cos, sin)
        k = rotate(self.k_proj(x).view(batch, length, -1, self.shape.head).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(batch, length, -1, self.shape.head).transpose(1, 2)
        groups = self.shape.heads // self.shape.kv_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    """The gated feed-forward layer (SwiGLU)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., hidden] to the same shape."""
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One decoder layer: attention and feed-forward, each on normalized input and with a residual connection."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)
        self.input_layernorm = RmsNorm(shape)
        self.post_attention_layernorm = RmsNorm(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """[batch, length, hidden] to the same shape."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Trunk(nn.Module):
    """Everything but the output layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RmsNorm(shape)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids [batch, length] to [batch, length, hidden]."""
        frequencies = self.shape.rope_theta ** (-torch.arange(0, self.shape.head, 2) / self.shape.head)
        angles = torch.outer(torch.arange(ids.shape[1]), frequencies).repeat(1, 2)
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, angles.cos(), angles.sin())
        return self.norm(x)


class Llama(nn.Module):
    """The decoder. The output layer shares the embedding's weights.

    Each layer starts as the identity, because the last matrices of attention and feed-forward are initialized to zero.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.model = Trunk(shape)
        nn.init.normal_(self.model.embed_tokens.weight, std=0.02)
        for name, module in self.named_modules():
            if name.endswith(("o_proj", "down_proj")):
                nn.init.zeros_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids [batch, length] to logits [batch, length, vocabulary]."""
        return functional.linear(self.model(ids), self.model.embed_tokens.weight)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions to [batch, heads, length, head], with halves paired as in Hugging Face's models."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
