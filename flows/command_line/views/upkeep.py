"""The output of `monkeys check` and `monkeys gc`: the integrity of a set, and what can be deleted from a store."""

from rich.filesize import decimal

from flows.command_line.terminal import counted, literal, new_table, print_json, stdout
from tasks.store.inspect.catalog import find
from tasks.store.inspect.garbage import delete as remove
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.store.inspect.opening import open_store


def check_set(url: str, name: str, *, as_json: bool) -> bool:
    """`monkeys check`; returns whether the set is sound."""
    console = stdout()
    with open_store(url) as store:
        found = find(store, name)
        findings = []
        for finding in check(store, found):
            findings.append(finding)
            if not as_json:
                console.print(literal(f"{finding.where}: {finding.what}"), soft_wrap=True)
    if as_json:
        print_json({"set": found.name, "sound": not findings, "findings": [each._asdict() for each in findings]})
    elif findings:
        console.print(f"found {counted(len(findings), 'problem')} in {found.name}", soft_wrap=True)
    else:
        pending = "".join(f"; {each.pending:,} pending for {each.grader}" for each in found.verdicts if each.pending)
        blocks, sets = counted(len(found.objects.footers), "block"), counted(len(found.verdicts), "verdict set")
        parts = f"{counted(found.samples, 'sample')} in {blocks}, {sets}"
        console.print(literal(f"{found.name} is sound: {parts}{pending}"), soft_wrap=True)
    return not findings


def collect_garbage(url: str, *, delete: bool, as_json: bool) -> None:
    """`monkeys gc`."""
    with open_store(url) as store:
        found = garbage(store)
        if delete:
            remove(store, found)
    if as_json:
        print_json([each._asdict() | {"deleted": delete} for each in found])
        return
    console = stdout()
    if not found:
        console.print("nothing to collect")
        return
    shown = new_table("object", "size", "why", right=(1,))
    for each in found:
        shown.add_row(literal(each.key), decimal(each.bytes), each.why)
    console.print(shown)
    total = f"{counted(len(found), 'object')}, {decimal(sum(each.bytes for each in found))}"
    console.print(f"deleted {total}" if delete else f"{total}; nothing was deleted, run again with --delete to do so")
