"""What graders share that read text: what a model thought before it answered is not its answer."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from sandboxes.config import Config
from tasks.answers.thinking import THINK, without_thinking


class TextGrader(Config):
    """The base of built-in graders. Subclasses set `name` and `version`."""

    version: ClassVar[int]
    name: str
    thinking_tags: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        THINK,
        description="The tags around what a reasoning model thinks, which is not part of its answer: an opening and"
        " a closing one, such as [THINK] and [/THINK]; empty: the whole text is read",
    )

    @field_validator("thinking_tags")
    @classmethod
    def _two_different(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        if tags and (len(tags) != 2 or tags[0] == tags[1]):
            raise ValueError("give an opening and a closing tag that differ, or an empty list")
        return tags

    def answer_text(self, text: str) -> str:
        """A sample's text without what the model thought before it answered."""
        return without_thinking(text, self.thinking_tags)
