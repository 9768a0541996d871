"""Text that shows itself to nobody who did not ask for it."""

from typing import Any, Self


class Secret(str):
    """A string that shows itself only where its very value is asked for: no repr, no pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        message = "a key is not pickled: give the other process its own, by environment or callable"
        raise TypeError(message)
