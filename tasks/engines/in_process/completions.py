"""Decodes token ids to the text of a completion, and finds the stop string that ends it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

REPLACEMENT = "\ufffd"
"""What a tokenizer decodes an incomplete character to."""
CONTEXT_TOKENS = 8


class Completions:
    """Decodes the completions of one prompt. A stop string counts only if the completion contains all of it."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int], stop: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.stop = tuple(stop)
        # Some decoders drop the space at the start of a text, so completions are decoded after the prompt's last
        # tokens.
        self.context = list(prompt[-CONTEXT_TOKENS:])
        self.prefix = len(self._decode(self.context))
        # A character takes at most 4 tokens; the stop string may start within a token and end within another.
        self.tail = 4 * max(map(len, self.stop), default=0) + 4

    def text_so_far(self, ids: Sequence[int]) -> str:
        """The whole text, including stop strings and incomplete characters."""
        return self._decode([*self.context, *ids])[self.prefix :]

    def text(self, ids: Sequence[int], *, whole: bool) -> str:
        """The completion's text, cut before the earliest stop string.

        Args:
            ids: its tokens, without the end-of-text token.
            whole: whether the completion ended by itself; if not, an incomplete last character is left out.
        """
        text = self.text_so_far(ids)
        cut = min((place for stop in self.stop if (place := text.find(stop)) >= 0), default=None)
        if cut is not None:
            return text[:cut]
        return text if whole else text.rstrip(REPLACEMENT)

    def stops(self, ids: Sequence[int]) -> bool:
        """Whether the text contains a stop string that its last token completes."""
        text = self._decode(list(ids[-self.tail :])) if len(ids) > self.tail else self.text_so_far(ids)
        return any(stop in text for stop in self.stop)

    def _decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text


def stop_endings(tokenizer: Tokenizer, stop: Sequence[str]) -> NDArray[np.bool_]:
    """Which tokens may complete a stop string: [vocabulary + 1]; the last entry is for ids that the tokenizer lacks.

    Only tokens whose text contains the last character of a stop string, or a part of a character, may do so.
    """
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    may_end = np.ones(size + 1, np.bool_)
    lead = tokenizer.encode("a", add_special_tokens=False).ids
    start = len(tokenizer.decode(lead))
    texts = tokenizer.decode_batch([[*lead, token] for token in range(size)], skip_special_tokens=True)
    endings = {text[-1] for text in stop} | {REPLACEMENT}
    may_end[:size] = [not endings.isdisjoint(text[start:]) for text in texts]
    return may_end
