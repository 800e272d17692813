"""From token ids to the text of a completion, and where a stop string ends it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

UNFINISHED = "\ufffd"
CONTEXT_TOKENS = 8


class Completions:
    """Decodes the completions of one prompt. A stop string counts only if all of it is in the completion."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int], stop: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.stop = tuple(stop)
        # Some decoders treat the first token specially (a leading space is dropped), so decode after a bit of prompt.
        self.context = list(prompt[-CONTEXT_TOKENS:])
        self.prefix = len(self._decode(self.context))
        # Every character takes at most 4 tokens, and the last token may have begun before the stop string's end.
        self.tail = 4 * max(map(len, self.stop), default=0) + 4

    def text_so_far(self, ids: Sequence[int]) -> str:
        """All of the text, stop strings and unfinished characters included."""
        return self._decode([*self.context, *ids])[self.prefix :]

    def text(self, ids: Sequence[int], *, whole: bool) -> str:
        """The completion's text, cut before the earliest stop string.

        Args:
            ids: its tokens, without an end-of-text token.
            whole: whether the text ended by itself; otherwise a character whose last bytes are missing is left out.
        """
        text = self.text_so_far(ids)
        cut = min((place for stop in self.stop if (place := text.find(stop)) >= 0), default=None)
        if cut is not None:
            return text[:cut]
        return text if whole else text.rstrip(UNFINISHED)

    def stops(self, ids: Sequence[int]) -> bool:
        """Whether the text holds a stop string, which its last token completed."""
        text = self._decode(list(ids[-self.tail :])) if len(ids) > self.tail else self.text_so_far(ids)
        return any(stop in text for stop in self.stop)

    def _decode(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text


def stop_endings(tokenizer: Tokenizer, stop: Sequence[str]) -> NDArray[np.bool_]:
    """Which tokens may complete a stop string: [vocabulary + 1], the last entry for ids that the tokenizer lacks.

    A token can only do so if a stop string's last character is in its text, or if it holds a part of a character.
    """
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    may_end = np.ones(size + 1, np.bool_)
    lead = tokenizer.encode("a", add_special_tokens=False).ids
    start = len(tokenizer.decode(lead))
    texts = tokenizer.decode_batch([[*lead, token] for token in range(size)], skip_special_tokens=True)
    endings = {text[-1] for text in stop} | {UNFINISHED}
    may_end[:size] = [not endings.isdisjoint(text[start:]) for text in texts]
    return may_end
