"""The command `monkeys`, also as `python -m monkeys`."""

import sys

from monkeys.origin import require_one_parent


def main() -> None:
    """Run the command line, unless packages of other projects hide ours: that is one line and exit code 2."""
    try:
        require_one_parent()
    except ImportError as error:
        print(f"monkeys: {error}", file=sys.stderr)
        sys.exit(2)

    from flows.command_line.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
