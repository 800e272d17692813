"""Text from tokens, with a byte-level tokenizer, which may split a character anywhere."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tasks.engines.in_process.completions import Completions, stop_endings
from tasks.engines.model_files import BUNDLED

BYTES = Tokenizer.from_file(str(BUNDLED / "programs" / "tokenizer.json"))
WORDS = Tokenizer(models.WordLevel({"<unk>": 0, "▁a": 1, "▁b": 2, "a": 3, ".": 4}, unk_token="<unk>"))
WORDS.pre_tokenizer = pre_tokenizers.Metaspace()
WORDS.decoder = decoders.Metaspace()


def _ids(text):
    return BYTES.encode(text).ids


@pytest.mark.parametrize("text", ["plain", " leading", "über naïve 😀 日本", "\n\nnew lines\n", "x = [1, 22]"])
def test_a_whole_text_is_decoded_unchanged(text):
    assert Completions(BYTES, _ids("prompt: "), ()).text(_ids(text), whole=True) == text


def test_an_incomplete_last_character_is_left_out_of_a_truncated_text():
    ids = _ids("ok 😀")
    completions = Completions(BYTES, _ids("p"), ())
    assert len(ids) - len(_ids("ok ")) == 4, "the character must have several tokens"
    assert [completions.text(ids[: len(ids) - cut], whole=False) for cut in range(5)] == ["ok 😀", *["ok "] * 3, "ok "]


def test_a_space_that_the_decoder_drops_at_the_start_is_kept():
    assert Completions(WORDS, [1], ()).text([2, 1, 4], whole=True) == " b a."


def test_a_text_is_cut_at_its_earliest_stop_string():
    completions = Completions(BYTES, _ids("p"), ("END", "\n\n"))
    assert completions.text(_ids("one\n\ntwo END"), whole=True) == "one"
    assert completions.text(_ids("one END two\n\n"), whole=True) == "one "


@pytest.mark.parametrize("stop", ["\nQuestion:", "Question:", ":", "é", "😀", "n:x"])
def test_a_stop_string_is_found_at_the_token_that_completes_it(stop):
    completions, may_end = Completions(BYTES, _ids("Question:"), (stop,)), stop_endings(BYTES, (stop,))
    ids = _ids(
        f"some text é😀 as long as it takes to fill the tail, and more{stop}" if len(stop) > 1 else f"text{stop}"
    )
    seen = [completions.stops(ids[: i + 1]) for i in range(len(ids))]
    first = next(i for i in range(len(ids)) if stop in completions.text_so_far(ids[: i + 1]))
    assert seen.index(True) == first
    assert may_end[ids[first]]


def test_a_stop_string_in_the_prompt_does_not_count():
    completions = Completions(BYTES, _ids("Question: what? Answer"), ("Answer:",))
    assert not completions.stops(_ids(":"))
    assert completions.text(_ids(": 5"), whole=True) == ": 5"


def test_a_space_at_the_end_of_a_stop_string_is_found_at_the_start_of_a_word():
    assert stop_endings(WORDS, (". ",))[[1, 2]].all()
    assert Completions(WORDS, [1], (". ",)).stops([4, 2])
