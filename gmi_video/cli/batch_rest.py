"""Lines that a journal has and the file has not: of an earlier text, another file, or another model."""

from typing import Literal

from gmi_video.cli.plain import counted

Rest = Literal["leave", "send", "drop"]


def of_others(count: int, rest: Rest, *, would: bool = False) -> str:
    """What becomes of those that wait; `would` where nothing is done."""
    be = "would be" if would else "is" if count == 1 else "are"
    sent = f"{counted(count, 'line')} that only the journal has"
    match rest:
        case "leave":
            return f"{sent} {be} left waiting; --rest send sends them too, --rest drop takes them out of it"
        case "drop":
            return f"{sent} {be} taken out of it; nothing was paid for them"
        case "send":
            return f"{sent} {be} sent as well, at prices that are not in the sum"
