"""A blocking face over an async object: each verb is one line that names the method behind it.

`verb`, `told`, `items`, `scope` and `Read` are all that is needed; names, arguments, docstrings and types are those
of the method, so nothing is written twice.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import partial, wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from gmi_video.errors import ConfigurationError
from gmi_video.sync.thread import LoopThread

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F")


class Face(Generic[A_co]):
    """A blocking face over `inner`, which lives in the loop of `thread`; `owner` is kept for as long."""

    def __init__(self, inner: A_co, thread: LoopThread, owner: object = None) -> None:
        self._inner = inner
        self._thread = thread
        self._owner = owner

    def _wait(
        self,
        method: Callable[Concatenate[A_co, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What an async method of the object behind returns, waited for."""
        return self._thread.wait(partial(method, self._inner, *args, **kwargs))

    def __reduce__(self) -> str:
        message = (
            f"a {type(self).__name__} cannot be pickled or copied: it holds a thread and its connections; make one "
            f"in each process, and hand over request ids"
        )
        raise TypeError(message)


def verb(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Face[A], P], T]:
    """The method, waited for."""

    @wraps(method)
    def call(self: Face[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._wait(method, *args, **kwargs)

    return call


def told(method: Callable[Concatenate[A, P], T]) -> Callable[Concatenate[Face[A], P], T]:
    """A method that never waits, called in the loop where there is one: what it reads does not move under it."""

    @wraps(method)
    def call(self: Face[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._thread.portal is None:
            return method(self._inner, *args, **kwargs)

        async def ask(inner: A) -> T:
            return method(inner, *args, **kwargs)

        return self._wait(ask)

    return call


def items(
    method: Callable[Concatenate[A, P], AsyncIterator[T]],
) -> Callable[Concatenate[Face[A], P], Iterator[T]]:
    """A method that gives items one after the other, as a plain iterator."""

    @wraps(method)
    def call(self: Face[A], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return Items(method(self._inner, *args, **kwargs), self._thread, self)

    return call


def scope(
    method: Callable[Concatenate[A, P], AbstractAsyncContextManager[T]],
    face: Callable[[T, LoopThread], F],
) -> Callable[Concatenate[Face[A], P], AbstractContextManager[F]]:
    """An async context manager as a plain one; what it gives is shown by a `face` of its own."""

    @wraps(method)
    @contextmanager
    def call(self: Face[A], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[F]:
        manager = method(self._inner, *args, **kwargs)
        with self._thread.begun().wrap_async_context_manager(manager) as inner:
            yield face(inner, self._thread)

    return call


class Read(Generic[A, T]):
    """An attribute of the object behind, read as it stands; `of` is what that object is, for type checkers."""

    def __init__(self, of: type[A], read: Callable[[A], T]) -> None:  # noqa: ARG002  # a lambda has no types of its own
        self._read = read

    @overload
    def __get__(self, face: None, owner: object) -> Self: ...
    @overload
    def __get__(self, face: Face[A], owner: object) -> T: ...
    def __get__(self, face: Face[A] | None, owner: object) -> Self | T:
        return self if face is None else self._read(face._inner)  # noqa: SLF001  # a descriptor is the face's own


class Items(Face[AsyncIterator[T]]):
    """An async iterator as a plain one. What an interrupted step had in hand is given by the next."""

    def __init__(self, inner: AsyncIterator[T], thread: LoopThread, owner: object = None) -> None:
        super().__init__(inner, thread, owner)
        self._taken: deque[T] = deque()
        self._closings = thread.closings

    @property
    def ended(self) -> bool:
        """Whether the session was closed since: its loop is gone, and what was under way there with it."""
        return self._closings != self._thread.closings

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self.ended:
            message = "the Session was closed while its requests were read, and more may follow: ask it anew"
            raise ConfigurationError(message)
        if not self._taken:
            self._wait(_taken, self._taken)
        if not self._taken:
            raise StopIteration
        return self._taken.popleft()


async def _taken(source: AsyncIterator[T], taken: deque[T]) -> None:
    """One more item, in the hands of the caller before anything can interrupt."""
    async for item in source:
        taken.append(item)
        return
