"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

SweepFile = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The sweep file; examples/ has some.")]
OptionalSweepFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE.yaml]", help="A sweep file, for its dataset, problems, grader and sandbox.", show_default=False
    ),
]
SetFields = Annotated[
    list[str] | None, typer.Option("--set", metavar="a.b=c", help="Set any field of the file; repeatable.")
]
SamplesPerProblem = Annotated[int | None, typer.Option("--k", help="Samples per problem.")]

SetName = Annotated[
    str, typer.Argument(metavar="SET", help="A sample set: its name or hash, or a unique prefix of either.")
]
VerdictSet = Annotated[
    str | None, typer.Option("--verdicts", metavar="NAME", help="The verdict set to use; the latest by default.")
]
ScoreSet = Annotated[
    str | None, typer.Option("--scores", metavar="NAME", help="The score set to use; the latest by default.")
]
StoreUrl = Annotated[str, typer.Option("--store", metavar="URL", help="Folder or fsspec URL of the results.")]
OptionalStoreUrl = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Folder or fsspec URL of the results.")
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
JsonSummary = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
