"""What the sandbox saw: one frozen `SeenCall` per HTTP call, and peaks that a test can assert."""

from collections import Counter
from typing import Literal
from urllib.parse import parse_qsl

from attrs import define, evolve, field, frozen

from gmi_video.sandbox.faults import Fault

Origin = Literal["api", "media", "elsewhere"]
Operation = Literal[
    "models",
    "model",
    "submit",
    "look",
    "result",
    "list",
    "upload",
    "put",
    "media",
    "login",
    "refresh",
    "profile",
    "keys",
    "unknown",
]


@frozen(kw_only=True)
class SeenCall:
    """One HTTP call as the server saw it. `status` and `ended` are None while it is under way.

    `status` stays None where no whole reply was said; `fault` is what the script did to the call.

    `at` and `ended` are the sandbox's Unix times. `began_as` and `ended_as` order all starts and ends of a
    run (in virtual time many of them share one moment); `in_flight` counts the calls of the same operation
    that were under way when this one began, itself included.
    """

    origin: Origin
    operation: Operation
    method: str
    path: str
    query: str
    headers: tuple[str, ...]
    authorized: bool
    organization: bool
    at: float
    began_as: int
    in_flight: int
    status: int | None = None
    ended: float | None = None
    ended_as: int | None = None
    fault: Fault | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The query as a mapping."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@define
class CallLog:
    """Keeps the calls of one run, or with `keep` false only their numbers and peaks."""

    keep: bool = True
    rows: list[SeenCall] = field(init=False, factory=list)
    counts: "Counter[str]" = field(init=False, factory=Counter)
    faults: "Counter[tuple[str, Fault]]" = field(init=False, factory=Counter)
    _flying: "Counter[str]" = field(init=False, factory=Counter)
    _peaks: "Counter[str]" = field(init=False, factory=Counter)
    _order: int = field(init=False, default=0)

    def begin(
        self,
        *,
        origin: Origin,
        operation: Operation,
        method: str,
        path: str,
        query: str,
        headers: tuple[str, ...],
        now: float,
    ) -> tuple[int, Operation]:
        """Notes the start of a call; hand the result to `end`."""
        self.counts[operation] += 1
        for name in (operation, "*"):
            self._flying[name] += 1
            self._peaks[name] = max(self._peaks[name], self._flying[name])
        self._order += 1
        if not self.keep:
            return -1, operation
        self.rows.append(
            SeenCall(
                origin=origin,
                operation=operation,
                method=method,
                path=path,
                query=query,
                headers=headers,
                authorized="authorization" in headers,
                organization="x-organization-id" in headers,
                at=now,
                began_as=self._order,
                in_flight=self._flying[operation],
            )
        )
        return len(self.rows) - 1, operation

    def meets(self, began: tuple[int, Operation], fault: Fault) -> None:
        """Notes that a call under way meets a fault."""
        place, operation = began
        self.faults[operation, fault] += 1
        if place >= 0:
            self.rows[place] = evolve(self.rows[place], fault=fault)

    def end(self, began: tuple[int, Operation], *, status: int | None, now: float) -> None:
        """Notes the end of a call; `status` None: nobody was there to be answered."""
        place, operation = began
        self._flying[operation] -= 1
        self._flying["*"] -= 1
        self._order += 1
        if place < 0:
            return
        row = self.rows[place]
        self.rows[place] = SeenCall(
            origin=row.origin,
            operation=row.operation,
            method=row.method,
            path=row.path,
            query=row.query,
            headers=row.headers,
            authorized=row.authorized,
            organization=row.organization,
            at=row.at,
            began_as=row.began_as,
            in_flight=row.in_flight,
            status=status,
            ended=now,
            ended_as=self._order,
            fault=row.fault,
        )

    def peak(self, *operations: str) -> int:
        """The most calls of these operations (none named: of all) that were ever under way together.

        Raises:
            LookupError: several operations were named and the calls were not kept.
        """
        if len(operations) < 2:
            return self._peaks[operations[0] if operations else "*"]
        if not self.keep:
            raise LookupError("calls were not kept: a joint peak of several operations cannot be counted")
        moves = []
        for row in self.rows:
            if row.operation in operations:
                moves.append((row.began_as, 1))
                if row.ended_as is not None:
                    moves.append((row.ended_as, -1))
        flying = peak = 0
        for _, step in sorted(moves):
            flying += step
            peak = max(peak, flying)
        return peak
