"""`monkeys view`: pages to look at stored samples."""

from typing import Annotated

import typer

from flows import DEFAULT_STORE

app = typer.Typer()


@app.command(
    epilog="Examples: [bold]monkeys view[/]  ·  [bold]monkeys view s3://bucket/runs --port 9000 --no-browser[/]  ·"
    "  [bold]monkeys view runs --set arithmetic --problem arithmetic/003 --index 7[/]"
)
def view(
    store: Annotated[
        str, typer.Argument(metavar="[STORE]", help="Folder or fsspec URL of the results.")
    ] = DEFAULT_STORE,
    *,
    name: Annotated[
        str | None,
        typer.Option("--set", metavar="SET", help="Open the page of this sample set, by its name or its beginning."),
    ] = None,
    verdicts: Annotated[
        str | None, typer.Option("--verdicts", help="With --set: this verdict set; the latest by default.")
    ] = None,
    problem: Annotated[str | None, typer.Option("--problem", help="With --set: the page of this problem.")] = None,
    index: Annotated[
        int | None, typer.Option("--index", min=0, help="With --problem: the page of the sample at this index.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="The port on 127.0.0.1; 8642, or a free one, by default."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Look at the samples of a store in a browser: sets, problems, samples, and two of any kind next to each other.

    Reads the store; all that it writes are your notes on samples. On another machine, forward the port:
    ssh -L 8642:127.0.0.1:8642 HOST.
    """
    from flows.command_line.views.view import Start, serve

    serve(store, Start(name, verdicts, problem, index), port=port, open_browser=browser)
