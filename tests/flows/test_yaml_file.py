from pathlib import Path
from typing import get_args

import pytest

from flows.config.choices import DatasetConfig, EngineConfig
from flows.config.sweep import SweepConfig
from flows.config.yaml_file import read_config
from tasks.errors import UserError

GOOD = "dataset: arithmetic\nengine: {name: onnx, model: arithmetic}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.yaml"
    path.write_text(GOOD)
    return path


def test_a_role_may_be_given_by_its_name_alone(file: Path) -> None:
    config = read_config(file)
    assert config.dataset.name == "arithmetic"
    assert (config.k, config.store, config.sandbox.name) == (100, "./runs", "bubblewrap")


def test_fields_take_precedence_over_overrides_and_overrides_over_the_file(file: Path) -> None:
    config = read_config(file, ["k=7", "sampling.temperature=0.8", "sandbox.time_limit_s=2"], k=9, store=None)
    assert (config.k, config.sampling.temperature, config.sandbox.time_limit_s) == (9, 0.8, 2.0)


def test_an_override_expands_a_role_in_its_short_form(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("dataset: humaneval\nengine: {name: onnx, model: m}\n")
    config = read_config(tmp_path / "s.yaml", ["dataset.path=H.jsonl.gz"])
    assert config.dataset.model_dump() == {"name": "humaneval", "path": "H.jsonl.gz"}


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (GOOD.replace("dataset:", "task:"), []),
        (GOOD.replace("dataset:", "task:").replace("arithmetic\n", "{name: programs}\n"), ["dataset=arithmetic"]),
        (GOOD.replace("arithmetic\n", "{name: programs}\n"), ["task.name=arithmetic"]),
    ],
)
def test_the_former_name_of_a_field_still_works(file: Path, text: str, overrides: list[str]) -> None:
    expected = read_config(file)
    file.write_text(text)
    assert read_config(file, overrides) == expected
    assert SweepConfig.model_validate({"task": "arithmetic", "engine": expected.engine}) == expected, "a deployment"


def test_problems_is_the_former_name_of_limit(file: Path) -> None:
    expected = read_config(file, ["limit=3"])
    assert expected.limit == 3
    assert read_config(file, ["problems=3"]) == expected
    file.write_text(GOOD + "problems: 3\n")
    assert read_config(file) == expected
    assert read_config(file, ["limit=5"]).limit == 5, "an option takes precedence, whatever the name in the file"
    properties = SweepConfig.model_json_schema()["properties"]
    assert "limit" in properties
    assert "problems" not in properties


@pytest.mark.parametrize("dataset", ["{name: own, path: p}", "{name: custom, path: p}"])
def test_the_former_name_of_a_dataset_still_works(file: Path, dataset: str) -> None:
    assert read_config(file, [f"dataset={dataset}"]).dataset.model_dump()["name"] == "custom"


def test_a_written_configuration_is_read_back_unchanged(file: Path, tmp_path: Path) -> None:
    config = read_config(file, ["sampling.stop=[a, b]"])
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert read_config(tmp_path / "again.yaml") == config


def test_every_field_of_the_form_has_a_description() -> None:
    schema = SweepConfig.model_json_schema()
    for model in [schema, *schema["$defs"].values()]:
        for name, field in model.get("properties", {}).items():
            if name != "name":
                assert field.get("description"), f"{model['title']}.{name}"


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        (GOOD, ["dataset=nosuch"], "dataset.name: 'nosuch' is unknown; one of arithmetic, code_contests, gsm8k"),
        (GOOD, ["engine.name=nosuch"], "engine.name: 'nosuch' is unknown; one of onnx, "),
        (
            GOOD,
            ["grader=nosuch"],
            "grader.name: 'nosuch' is unknown; one of code_contests, final_answer, functions, gsm8k",
        ),
        (GOOD, ["sandbox=nosuch"], "sandbox.name: 'nosuch' is unknown; one of bubblewrap"),
        (GOOD, ["k=0"], "k: input should be greater than or equal to 1 (it is 0)"),
        (GOOD, ["price.completion=.inf"], "price.completion: input should be a finite number (it is inf)"),
        (
            GOOD,
            ["engine={name: vllm, model: arithmetic, engine_args: {max-num-seqs: 4}}"],
            "engine: engine_args.max-num-seqs must be written max_num_seqs",
        ),
        (
            GOOD,
            ["engine={name: openai, model: m, base_urls: 'host:9/v1'}"],
            "engine.base_urls: 'host:9/v1' is not the URL of a server; write one like http://localhost:8000/v1",
        ),
        (GOOD, ["k=many"], "k: input should be a valid integer, unable to parse string as an integer (it is 'many')"),
        (GOOD, ["sampling.top_p=1.5"], "sampling.top_p: input should be less than or equal to 1 (it is 1.5)"),
        (GOOD, ["sampling.heat=1"], "sampling.heat: is not a field of a sweep"),
        (GOOD, ["engine.modle=x"], "engine.modle: is not a field of a sweep"),
        (GOOD, ["k"], "--set k: not of the form field=value"),
        (GOOD, ["k=[1"], "--set k=[1: broken YAML value"),
        (GOOD + "k: 5", ["k.x=1"], "--set k.x=1: k is a value, and has no field x"),
        ("dataset: arithmetic\n", [], "engine: is required"),
        ("dataset: {path: x}\nengine: onnx\n", [], "dataset: has no name"),
        ("dataset: arithmetic\nengine: onnx\n", [], "engine.model: is required"),
        (GOOD, ["cap.dollars=5"], "cap.dollars needs a price; give price.completion"),
        (GOOD, ["cap.tokens=0"], "cap.tokens: input should be greater than or equal to 1"),
        (
            "dataset: arithmetic\nchat: {tokenizer: x}\n"
            "engine: {name: openai, model: m, base_urls: http://localhost:1/v1, api: chat}\n",
            [],
            "chat and engine.api: chat both apply a template",
        ),
        (GOOD + "task: programs\n", [], "dataset: is also given under its former name, task; keep only dataset"),
        (GOOD + "problems: 3\nlimit: 4\n", [], "limit: is also given under its former name, problems; keep only limit"),
        ("dataset: [a\n", [], "broken YAML"),
        ("- a\n", [], "holds no fields"),
        ("", [], "holds no fields"),
    ],
)
def test_errors_are_one_line_that_names_the_field(
    tmp_path: Path, text: str, overrides: list[str], message: str
) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_config(tmp_path / "s.yaml", overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.yaml: cannot be read \(No such file"):
        read_config(tmp_path / "none.yaml")


def test_the_form_has_fields_for_every_choice() -> None:
    properties = SweepConfig.model_json_schema()["properties"]
    for role, choices in [("dataset", DatasetConfig), ("engine", EngineConfig)]:
        assert len(properties[role]["anyOf"]) == len(get_args(get_args(choices)[0])) > 1
    assert "oneOf" not in str(properties), "the Prefect UI shows that as bare JSON"
