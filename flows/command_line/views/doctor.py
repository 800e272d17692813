"""The output of `monkeys doctor`."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.console import Console


def show_doctor(*, as_json: bool) -> bool:
    """Try every sandbox and prover, and show what works; returns whether a sandbox does."""
    waiting = Console(stderr=True, highlight=False)
    waiting.print("[bold]monkeys doctor[/] is testing the sandboxes and provers")

    from flows.command_line.terminal import literal, new_table, print_json, stdout
    from flows.config.choices import sandbox_classes
    from sandboxes.doctor import diagnose  # imported after the first line is shown
    from tasks.provers.choices import prover_classes
    from tasks.provers.doctor import diagnose as diagnose_prover

    configs, untried = _configs(sandbox_classes(), without="bubblewrap")
    states = tuple(diagnose(configs))
    provers, provers_untried = _configs(prover_classes())
    untried |= provers_untried
    prover_states = tuple(diagnose_prover(each) for each in provers)
    facts = _facts()
    works = any(state.works for state in states)
    if as_json:
        sandboxes = [state._asdict() for state in states]
        tried = {"sandboxes": sandboxes, "not_tried": untried, "provers": [state._asdict() for state in prover_states]}
        print_json({"works": works, **tried, **dict(facts)})
        return works
    console = stdout()
    table = new_table("sandbox", "", "isolated", "memory limited by", "user inside", "time per run", right=(5,))
    for state in states:
        if state.works:
            kept = " · ".join(state.isolates) + "".join(f"  [red]not {what}[/]" for what in state.lacks)
            cells = (kept, state.memory_bound, state.runs_as, f"{state.milliseconds:.1f} ms")
            table.add_row(f"[bold]{state.name}[/]", "[green]works[/]", *cells)
        else:
            table.add_row(state.name, "[red]no[/]", "–", "–", "–", "–")
    console.print(table)
    for state in states:
        if not state.works:
            console.print(literal(f"{state.name}: {state.remedy}"), soft_wrap=True)
    for name, fields in untried.items():
        kind = "prover " if name in provers_untried else ""
        console.print(literal(f"{kind}{name}: not tried, because it needs {' and '.join(fields)}"), soft_wrap=True)
    for prover in prover_states:
        if prover.works:
            times = f"{prover.wrong_ms:.1f} ms per wrong proof, {prover.confirmed_ms:,.0f} ms per right one"
            said = f"works: {prover.description}, {times}"
        else:
            said = f"does not work: {prover.remedy}"
        console.print(literal(f"prover {prover.name}: {said}"), soft_wrap=True)
    for name, fact in facts:
        console.print(f"[dim]{name:<16}[/]{fact}", soft_wrap=True)
    if not works:
        console.print("[red]no sandbox works: programs cannot be graded on this machine[/]")
    return works


def _configs(classes: Iterable[type[Any]], without: str = "") -> tuple[list[Any], dict[str, list[str]]]:
    """Sandboxes or provers with one worker, but for the one called `without`; and those that have no defaults for some
    fields, with these fields."""
    configs: list[Any] = []
    untried: dict[str, list[str]] = {}
    for each in classes:
        name = each.model_fields["name"].default
        needed = [field for field, about in each.model_fields.items() if about.is_required()]
        if needed:
            untried[name] = needed
        elif name != without:
            configs.append(each(workers=1) if "workers" in each.model_fields else each())
    return configs, untried


def _facts() -> tuple[tuple[str, str], ...]:
    """The environment of the sandboxes, and the versions of the packages that engines, stores and flows build on."""
    from sandboxes.doctor import environment

    return (
        *environment(),
        ("engines", f"recorded; onnx by onnxruntime {_installed('onnxruntime')}"),
        ("store", f"local folders; S3 by s3fs {_installed('s3fs')}"),
        ("flows", f"Prefect {_installed('prefect')}"),
    )


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
