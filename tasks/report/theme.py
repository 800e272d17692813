"""The light and the dark theme of the pages: the colours of the palette as variables of the style sheet."""

from tasks.report.palette import named_colours

_LIGHT = "".join(f"--{name}: {colour.light}; " for name, colour in named_colours()) + "color-scheme: light;"
_DARK = "".join(f"--{name}: {colour.dark}; " for name, colour in named_colours()) + "color-scheme: dark;"

STYLE = f"""\
:root {{ {_LIGHT} }}
@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {_DARK} }} }}
@media screen {{ :root[data-theme="dark"] {{ {_DARK} }} }}
"""
"""The reader's system chooses the theme until the reader does; on paper it is always the light one."""
