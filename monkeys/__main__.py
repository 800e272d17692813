"""The command `monkeys`, also as `python -m monkeys`."""

import sys

from monkeys.origin import require_one_parent


def main() -> None:
    """Run the command line. If packages of other projects hide ours, print one line and exit with code 2."""
    try:
        require_one_parent()
    except ImportError as error:
        print(f"monkeys: {error}", file=sys.stderr)
        sys.exit(2)

    from flows.command_line.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
