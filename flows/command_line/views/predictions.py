"""The output of `monkeys predictions`."""

from collections.abc import Iterable
from pathlib import Path

from flows.command_line.terminal import counted, literal, print_json, print_notes, stdout
from flows.setup.predictions import choose, chosen_dataset, picker
from tasks.importers.swe_bench_predictions import check_output, write_predictions


def write_chosen(
    name: str,
    file: Path | None,
    overrides: Iterable[str],
    *,
    by: str,
    k: int | None,
    output: Path,
    allow_oracle: bool,
    model_name: str | None,
    verdicts: str | None,
    store: str,
    as_json: bool,
) -> None:
    """Choose a patch for each issue, write them, and say what was chosen.

    Raises:
        UserError: the set, the selector or the dataset cannot be used; nothing was written.
    """
    check_output(output)
    selector = picker(by, allow_oracle=allow_oracle)
    dataset = chosen_dataset(store, name, file, overrides)
    chosen = choose(store, name, dataset, selector, k=k, verdicts=verdicts)
    named = model_name or chosen.model_name
    write_predictions(((each.issue, each.patch) for each in chosen.patches), named, output)
    if as_json:
        samples = {each.issue: each.index for each in chosen.patches}
        print_json({
            "output": str(output), "model_name_or_path": named, "verdicts": chosen.verdicts, "samples": samples,
            "notes": chosen.notes,
        })  # fmt: skip
        return
    out = stdout()
    empty = sum(not each.patch for each in chosen.patches)
    line = f"wrote {counted(len(chosen.patches), 'prediction')} as {named} to {output}"
    out.print(literal(f"{line}; {empty:,} of them are empty" if empty else line), soft_wrap=True)
    print_notes(out, chosen.notes)
