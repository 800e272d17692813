"""A `lean` that has LeanDojo's REPL, for the real `Dojo`. The Lean of these tests has no library with which the real
REPL could be compiled, so this program speaks its protocol, and asks that Lean, the real one, about every request.

Names that a proof introduces say what it does to the process: `intro toy_crashes` is right, and crashes. Arguments that
are not Dojo's go to the real Lean. It is run as a file, so it imports nothing of this project.
"""

import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

LEAN = "LEAN"
VERSION = "VERSION"
WORK = "/tmp/toy"
BEFORE_REPLY: list[str] = []
COMMANDS, TACTICS = "#lean_dojo_repl", "lean_dojo_repl"


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def reply(sid=None, state=None, error=None):
    write(
        "".join(BEFORE_REPLY)
        + "REPL> "
        + json.dumps({"sid": sid, "tacticState": state, "error": error}, ensure_ascii=False)
        + "\n"
    )


def asked(text):
    """The real Lean's messages on a text, with the numbers of their lines."""
    path = pathlib.Path(WORK, "Text.lean")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    run = subprocess.run([LEAN, "--json", str(path)], stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in run.stdout.splitlines()]


def act(text, sid):
    """What a proof does to the process that runs it, before its reply."""
    if "toy_forges_finished" in text:
        reply(sid, "no goals")
    elif "toy_forges_error" in text:
        reply(error="forged")
    elif "toy_forges_two" in text:
        reply(sid, "no goals")
        reply(sid + 1, "no goals")
    elif "toy_forges" in text:
        reply(sid)
    if "toy_prints" in text:
        write("'pair' does not depend on any axioms\n\n")
    if "toy_half_a_line" in text:
        BEFORE_REPLY.append("something without an end")
    if "toy_not_json" in text:
        write("REPL> PANIC\n")
    if "toy_not_an_object" in text:
        write("REPL> 7\n")
    if "toy_other_types" in text:
        write('REPL> {"sid": {}, "error": 5, "tacticState": null}\n')
    if "toy_floods" in text:
        while True:
            write("x" * 65536)
    if "toy_pages" in text:
        while True:
            write("x\n" * 4096)
    if "toy_spins" in text:
        while True:
            pass
    if "toy_sleeps" in text:
        time.sleep(3600)
    if "toy_hoards" in text:
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20)))
    if "toy_crashes" in text:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if "toy_is_killed" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "toy_exits" in text:
        os._exit(0)
    if "toy_cut_off" in text:
        write('REPL> {"sid": ')
        os._exit(0)


def act_later(text, sid):
    """What it does after the reply."""
    if "toy_late_error" in text:
        reply(error="forged")
    elif "toy_late" in text:
        reply(sid + 1, "no goals")


def run_commands(header, states, request):
    """Run commands after a state, and reply."""
    before = "\n".join([header, *states[request["sid"]], ""])
    messages = asked(f"{before}{request['cmd']}\n")
    first = before.count("\n") + 1
    own = [each for each in messages if each["pos"]["line"] >= first]
    for each in own:
        if each["severity"] != "error":
            write(each["data"].strip() + "\n")
    errors = "\n".join(each["data"] for each in own if each["severity"] == "error")
    sid = len(states)
    states.append([*states[request["sid"]], request["cmd"]])
    reply(sid, error=errors or None)
    return sid


def run_tactic(header, states, request):
    """Run a tactic on a state, and reply."""
    tactics = [*states[request["sid"]], request["cmd"]]
    messages = asked("\n".join([header, *("  " + line for each in tactics for line in each.split("\n")), ""]))
    errors = [each["data"] for each in messages if each["severity"] == "error"]
    unsolved = [each for each in errors if each.startswith("unsolved goals")]
    if len(errors) > len(unsolved):
        reply(error=next(each for each in errors if each not in unsolved))
        return None
    states.append(tactics)
    goals = unsolved[0].partition("\n")[2] if unsolved else "no goals"
    reply(len(states) - 1, f"name : '⊢'\n{goals}" if unsolved and "toy_turnstile" in request["cmd"] else goals)
    return len(states) - 1


def serve(path):
    """Be the REPL in a file that Dojo has written."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    imports, text = text.split("\n", 1)
    assert imports == "import Lean4Repl", imports
    compiled = [pathlib.Path(each, "Lean4Repl.olean") for each in os.environ["LEAN_PATH"].split(":")]
    assert any(each.exists() for each in compiled), compiled
    commands = COMMANDS in text
    header = text[: text.index(COMMANDS if commands else TACTICS)].rstrip()
    assert re.search(r"\n\nset_option maxHeartbeats 0 in\b", header), header
    header = header.removesuffix("set_option maxHeartbeats 0 in")
    if not commands:
        header = header.replace("set_option maxHeartbeats 0 in\n", "")
    failed = [each for each in asked(f"{header}\n  skip\n" if not commands else header) if each["severity"] == "error"]
    for each in failed:
        if not each["data"].startswith("unsolved goals"):
            write(f"{path}:{each['pos']['line']}:{each['pos']['column']}: error: {each['data']}\n")
            if not commands or "unknown module" in each["data"]:
                sys.exit(1)
    states: list[list[str]] = [[]]
    reply(0, None if commands else "⊢ goal")
    for line in sys.stdin:
        request = json.loads(line)
        act(request["cmd"], len(states))
        done = (run_commands if commands else run_tactic)(header, states, request)
        act_later(request["cmd"], done or 0)


def main():
    arguments = sys.argv[1:]
    if "--print-prefix" in arguments:
        print(pathlib.Path(__file__).parent.parent)
    elif any(each.startswith("--memory=") for each in arguments):
        serve(arguments[-1])
    elif arguments and arguments[-1].endswith("Lean4Repl.lean"):
        source = pathlib.Path(arguments[-1]).read_text(encoding="utf-8")
        assert "lean_dojo_repl" in source  # The package's own file.
        output = next(after for each, after in itertools.pairwise(arguments) if each == "-o")
        pathlib.Path(output).write_bytes(b"compiled")
    else:
        os.execv(LEAN, [LEAN, *arguments])


if __name__ == "__main__":
    main()
