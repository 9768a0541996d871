"""`python -m gmi_video`, which is the command `gmi-video`."""

import sys

_EXTRA = frozenset({"cyclopts", "platformdirs", "rich"})


def main() -> None:
    """Runs the command and exits with its code; without the extra `cli` says how to install it, and exits 2."""
    try:
        from gmi_video.cli import run  # noqa: PLC0415  # only here can it be told that the extra is missing
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write("The command needs the extra `cli`: pip install 'gmi_video[cli]'\n")
        raise SystemExit(2) from None
    raise SystemExit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
