"""The output of `monkeys plugins`."""

from flows.command_line.terminal import literal, new_table, print_json, stdout


def show_plugins(*, as_json: bool) -> bool:
    """Load every plug-in and list them; returns whether all can be used."""
    import flows.config.choices  # noqa: F401 - loads the plug-ins of the sweep file's roles
    from tasks.importers.formats import formats
    from tasks.plugins import GROUPS, VARIABLE, loaded

    formats()
    found = sorted(loaded(), key=lambda each: each[:4])
    sound = all(each.fault is None for each in found)
    if as_json:
        fields = ("role", "name", "distribution", "version", "fault")
        print_json([{field: getattr(each, field) for field in fields} for each in found])
        return sound
    console = stdout()
    if not found:
        console.print(f"no plug-ins: no entry points in {', '.join(GROUPS.values())} (or {VARIABLE} leaves them out)")
        return sound
    table = new_table("role", "name", "distribution", "version", "")
    for each in found:
        state = "[green]ready[/]" if each.fault is None else literal(each.fault)
        table.add_row(each.role, literal(each.name), literal(each.distribution), literal(each.version), state)
    console.print(table)
    return sound
