"""Linux, a file for each facility: control groups, seccomp filters, namespaces, the interpreter, process identity."""
