"""Chat prompts equal what transformers would render."""

import json
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.prompts.chat import ChatConfig

# In the manner of ChatML, with the whitespace that templates are written with.
CHATML = """\
{%- for message in messages %}
    {%- if loop.first and message.role != "system" %}
        {{- "<|im_start|>system\\nBe brief.<|im_end|>\\n" }}
    {%- endif %}
    {{- "<|im_start|>" + message.role + "\\n" + message.content | trim + "<|im_end|>" + "\\n" }}
{%- endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
"""
# In the manner of Llama: the beginning of the text is the template's, a date may be asked for.
LLAMA = (
    "{{ bos_token }}{% set day = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}[{{ day }}]"
    "{% for m in messages %}{% if m.role not in ['user'] %}{{ raise_exception('no ' + m.role + ' here') }}{% endif %}"
    "[INST] {{ m.content }} [/INST]{% endfor %}"
)


def folder(path: Path, template: object, **more: object) -> str:
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template, **more}))
    return str(path)


def test_the_users_message_is_exactly_the_prompt(tmp_path: Path) -> None:
    template = ChatConfig(tokenizer=folder(tmp_path, CHATML)).load()
    assert template.render("Question: {x} & <1>\nAnswer:") == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nQuestion: {x} & <1>\nAnswer:<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_system_message_comes_before_the_users(tmp_path: Path) -> None:
    template = ChatConfig(tokenizer=folder(tmp_path, CHATML), system="Do sums.").load()
    assert template.render("1 + 1?").startswith("<|im_start|>system\nDo sums.<|im_end|>\n<|im_start|>user\n1 + 1?")


@pytest.mark.parametrize("bos", ["<s>", {"content": "<s>", "lstrip": False}])
def test_special_tokens_come_from_the_tokenizer_and_the_template_gets_no_date(tmp_path: Path, bos: object) -> None:
    template = ChatConfig(tokenizer=folder(tmp_path, LLAMA, bos_token=bos)).load()
    assert template.render("Hi") == "<s>[26 Jul 2024][INST] Hi [/INST]"


def test_a_token_that_the_tokenizer_adds_itself_is_not_written_twice(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, processors

    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "a": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    template = ChatConfig(tokenizer=folder(tmp_path, LLAMA, bos_token="<s>")).load()
    assert template.render("Hi") == "[26 Jul 2024][INST] Hi [/INST]"


def test_the_template_may_be_a_separate_file_or_one_of_several_by_name(tmp_path: Path) -> None:
    several = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "d:{{ messages[0].content }}"}]
    assert ChatConfig(tokenizer=folder(tmp_path, several)).load().render("x") == "d:x"
    (tmp_path / "chat_template.jinja").write_text("f:{{ messages[0].content }}")
    assert ChatConfig(tokenizer=str(tmp_path)).load().render("x") == "f:x"


@pytest.mark.parametrize(
    ("template", "system", "message"),
    [
        (None, None, "has no chat template"),
        ("{% for %}", None, "cannot take these messages"),
        (LLAMA, "Be brief.", "no system here"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", None, "cannot take these messages .*unsafe"),
    ],
)
def test_an_unusable_template_is_reported_in_one_line(
    tmp_path: Path, template: object, system: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        ChatConfig(tokenizer=folder(tmp_path, template), system=system).load()
    assert len(str(caught.value).splitlines()) == 1
