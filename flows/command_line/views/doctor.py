"""What a person, or a script, sees of `monkeys doctor`."""

from importlib.metadata import PackageNotFoundError, version

from rich.console import Console


def show_doctor(*, as_json: bool) -> bool:
    """Try every sandbox and show how far each isolates; returns whether one works."""
    waiting = Console(stderr=True, highlight=False)
    waiting.print("[bold]monkeys doctor[/] is trying the sandboxes")

    from flows.command_line.terminal import new_table, plain, print_json, screen
    from flows.config.choices import sandbox_classes
    from sandboxes.bubblewrap import BubblewrapConfig
    from sandboxes.doctor import diagnose  # after the first line is on the screen

    states = tuple(diagnose(each(workers=1) for each in sandbox_classes() if each is not BubblewrapConfig))
    facts = _facts()
    works = any(state.works for state in states)
    if as_json:
        print_json({"works": works, "sandboxes": [state._asdict() for state in states], **dict(facts)})
        return works
    console = screen()
    table = new_table("sandbox", "", "isolated", "memory bounded by", "user inside", "an execution", right=(5,))
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
            console.print(plain(f"{state.name}: {state.remedy}"), soft_wrap=True)
    for name, fact in facts:
        console.print(f"[dim]{name:<16}[/]{fact}", soft_wrap=True)
    if not works:
        console.print("[red]no sandbox works: programs cannot be judged here[/]")
    return works


def _facts() -> tuple[tuple[str, str], ...]:
    """What is around the sandboxes, and the versions of what engines, stores and flows run on."""
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
