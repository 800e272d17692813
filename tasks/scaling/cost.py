"""What samples cost: tokens always, dollars where a price is known."""

from dataclasses import dataclass

from tasks.records import Price


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of `samples` samples. A prompt counts for every sample drawn from it, as it is usually billed; None where
    the engine did not say how many tokens some sample had."""

    samples: int
    prompt_tokens: int | None
    tokens: int | None
    price: Price | None = None

    @property
    def dollars(self) -> float | None:
        """What the samples cost; None without a price, or without counts for what it prices above 0."""
        if self.price is None:
            return None
        total = 0.0
        for each, tokens in ((self.price.prompt, self.prompt_tokens), (self.price.completion, self.tokens)):
            if each and tokens is None:
                return None
            total += each * (tokens or 0) / 1e6
        return total
