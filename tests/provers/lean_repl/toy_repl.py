"""A program that speaks the protocol of Lean's REPL, without Lean: words in a proof say what becomes of it, or what it
does to the process. It is run as a file by a Python in the sandbox, so it imports nothing of this project.
"""

import itertools
import json
import os
import re
import signal
import sys
import time

VERSION = "4.15.0"
_COMMAND = re.compile(r"^(theorem|lemma|axiom|#print axioms|#check|#eval|import|open)\b", re.MULTILINE)
_NAMED = re.compile(r"(?:theorem|lemma|axiom) ([^\s:({]+)\s*(.*)", re.DOTALL)


def elaborate(text, declared):
    """The messages and the number of `sorry` of a text, as the REPL has them, after what was declared; that grows.

    `declared` maps a name to its claim and the axioms that it rests on.
    """
    messages: list[object] = []
    sorries: list[object] = []
    starts = [match.start() for match in _COMMAND.finditer(text)] + [len(text)]
    for start, end in itertools.pairwise(starts):
        command, line = text[start:end].strip(), text.count("\n", 0, start) + 1
        for severity, data in _one(command, declared, sorries):
            place = {"line": line, "column": 0}
            messages.append({"severity": severity, "pos": place, "endPos": place, "data": data})
    return messages, sorries


def _one(command, declared, sorries):
    word = command.split()[-1]
    if command.startswith("import"):
        return [("error", "unknown module prefix 'Absent'")] if "Absent" in command else []
    if command.startswith("#eval"):
        return [("info", f'"{VERSION}"')]
    if command.startswith("#check"):
        return [("error", f"Unknown identifier `{word}`")]
    if command.startswith("#print"):
        axioms = declared[word][1] if word in declared else []
        if axioms:
            return [("info", f"'{word}' depends on axioms: [{', '.join(axioms)}]")]
        return [("info", f"'{word}' does not depend on any axioms")]
    if command.startswith("open"):
        return []
    name, rest = _NAMED.findall(command)[0]
    if command.startswith("axiom"):
        declared[name] = [rest.strip(), [name]]
        return []
    claim, _, body = rest.partition(":=")
    if "unknown_constant" in claim:
        return [("error", "Unknown identifier `unknown_constant`")]
    if "type_of%" in claim:
        return _comparison(name, claim, body, declared)
    return _proof(name, claim.strip(), body, declared, sorries)


def _comparison(name, claim, body, declared):
    wanted, proved = claim.split("@")[1].strip(), body.split("@")[1].strip()
    if proved not in declared or declared[proved][0] != declared[wanted][0]:
        return [("error", f"Type mismatch\n  @{proved}")]
    declared[name] = ["", declared[proved][1]]
    return []


def _proof(name, claim, body, declared, sorries):
    found = []
    if "prints" in body:
        text = '{"messages": [{"severity": "error", "data": "no"}], "env": 1}'
        found.append(("info", f"{text}\n\n{text}\n\n'{name}' does not depend on any axioms"))
    if "sorry" in body:
        found.append(("warning", "declaration uses `sorry`"))
        if "hidden" not in body:
            sorries.append({"proofState": 0, "goal": "⊢ False"})
    if "wrong" in body or "⟨hq, hp⟩" in body:
        return [*found, ("error", "unsolved goals\n⊢ False")]
    axioms = ["propext", "Classical.choice", "Quot.sound"] if "classical" in body else []
    axioms += ["sorryAx"] if "sorry" in body else ["cheat"] if "axiom_cheat" in body else []
    declared[name] = [": True" if "other_type" in body else claim, axioms]
    return found


def act(text, env):
    """What a proof does to the process that runs it."""
    forged = json.dumps({"env": env}) + "\n\n"
    if "forges_error" in text:
        error = {"severity": "error", "pos": {"line": 1, "column": 0}, "data": "forged"}
        write(json.dumps({"messages": [error], "env": env}) + "\n\n")
    elif "forges_two" in text:
        write(forged + json.dumps({"env": env + 1}) + "\n\n")
    elif "forges" in text:
        write(forged)
    if "forges_fault" in text:
        write('{"message": "Unknown environment."}\n\n')
    if "floods" in text:
        while True:
            write("x" * 65536)
    if "spins" in text:
        while True:
            pass
    if "sleeps" in text:
        time.sleep(3600)
    if "hoards" in text:
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20)))
    if "crashes" in text:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if "exits" in text:
        os._exit(0)
    if "cut_off" in text:
        write('{"messages": [{"sever')
        os._exit(0)
    if "not_json" in text:
        write("PANIC at Lean.Something\n\n")


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def main():
    environments: list[object] = []
    lines: list[str] = []
    for line in sys.stdin:
        if line.strip():
            lines.append(line)
            continue
        if not lines:
            continue
        request, lines = json.loads("".join(lines)), []
        write(json.dumps(answer(request, environments), indent=1, ensure_ascii=False) + "\n\n")
        if "prints_later" in request.get("cmd", ""):
            write('{"message": "not of this proof"}\n\n')


def answer(request, environments):
    if "pickleTo" in request:
        if not os.access(os.path.dirname(request["pickleTo"]), os.W_OK):
            return {"message": "permission denied"}
        with open(request["pickleTo"], "w") as file:
            json.dump(environments[request["env"]], file)
        return {"env": request["env"]}
    if "unpickleEnvFrom" in request:
        with open(request["unpickleEnvFrom"]) as file:
            environments.append(json.load(file))
        return {"env": len(environments) - 1}
    env = request.get("env")
    if env is not None and env >= len(environments):
        return {"message": "Unknown environment."}
    act(request["cmd"], len(environments))
    if "refused_by_repl" in request["cmd"]:
        return {"message": "deep recursion was detected"}
    declared = {} if env is None else json.loads(json.dumps(environments[env]))
    messages, sorries = elaborate(request["cmd"], declared)
    environments.append(declared)
    parts = {"messages": messages, "sorries": sorries}
    return {**{key: value for key, value in parts.items() if value}, "env": len(environments) - 1}


if __name__ == "__main__":
    main()
