"""`monkeys plugins`: what other distributions add."""

import typer

from flows.command_line.options import Json

app = typer.Typer()


@app.command(epilog="Examples: [bold]monkeys plugins[/]  ·  [bold]MONKEYS_PLUGINS= monkeys plugins[/] (loads none)")
def plugins(as_json: Json = False) -> None:
    """List the installed plug-ins, and why one cannot be used. Exit code 1 if one cannot."""
    from flows.command_line.views.plugins import show_plugins

    if not show_plugins(as_json=as_json):
        raise typer.Exit(1)
