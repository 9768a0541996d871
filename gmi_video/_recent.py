"""What is remembered by request ids: many of them while they are young, a few for as long as it takes. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from attrs import define, field

T = TypeVar("T")

PARTS = 8
"""Spans that one lifetime, or one of the two numbers, is cut into: what is forgotten goes by the span, and costs nothing
until then."""


@define(eq=False)
class _Span(Generic[T]):
    """What was learnt from one moment on, until the next span began."""

    since: float
    kept: dict[str, T] = field(factory=dict)


class Recent(Mapping[str, T]):
    """The last `few` ids whatever their age, more of them while they are younger than `young` seconds, never much more than `most`.

    What is said of an id first holds.
    """

    def __init__(self, *, few: int, most: int, young: float) -> None:
        self._few, self._most, self._young = few, most, young
        self._spans: list[_Span[T]] = [_Span(float("-inf"))]

    def turn(self, now: float, reach: Callable[[], float]) -> None:
        """It is `now`, which may be the time to forget; nothing that was learnt since `reach()`, if that is not too much."""
        last = self._spans[-1]
        old = now - last.since >= self._young / PARTS
        if len(last.kept) >= (self._few if old else self._most) / PARTS:
            self._spans.append(_Span(now))
            self._forget(min(now - self._young, reach()))

    def _forget(self, old: float) -> None:
        size = len(self)
        while len(self._spans) > 1:
            left = size - len(self._spans[0].kept)
            if size <= self._most and (left < self._few or self._spans[1].since >= old):
                return
            del self._spans[0]
            size = left

    def setdefault(self, request_id: str, value: T) -> T:
        """What is known of an id, from now on `value` where that was nothing."""
        known = self.get(request_id)
        if known is None:
            self._spans[-1].kept[request_id] = known = value
        return known

    def drop(self, request_id: str) -> None:
        """Nothing is known of an id."""
        for span in self._spans:
            span.kept.pop(request_id, None)

    def __getitem__(self, request_id: str) -> T:
        for span in reversed(self._spans):
            if request_id in span.kept:
                return span.kept[request_id]
        raise KeyError(request_id)

    def __contains__(self, request_id: object) -> bool:
        return any(request_id in span.kept for span in self._spans)

    def __iter__(self) -> Iterator[str]:
        for span in self._spans:
            yield from span.kept

    def __len__(self) -> int:
        return sum(len(span.kept) for span in self._spans)
