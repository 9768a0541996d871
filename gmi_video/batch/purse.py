"""Whether a line can be paid: by the budget, and by what the account could not pay before."""

from decimal import Decimal
from functools import partial

from gmi_video.batch.errors import BudgetExceeded
from gmi_video.batch.parking import park_all
from gmi_video.batch.prices import Prices, shown
from gmi_video.batch.work import Line, Work
from gmi_video.errors import GmiVideoError, InsufficientCredit


class Purse:
    """What one run may spend on a line."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._prices = Prices(work.session, work.options.assume_price)
        self._ceiling: Decimal | None = None

    @property
    def tight(self) -> bool:
        """Whether some line could not be paid, so that others will be like it."""
        return self._work.beyond is not None or self._ceiling is not None

    def lacks(self, cost: Decimal) -> None:
        """The account could not pay so much."""
        self._ceiling = cost if self._ceiling is None else min(self._ceiling, cost)

    async def price(self, line: Line) -> None:
        """Learns what a line costs; raises what the catalog raises where a budget needs to know."""
        payload = {} if line.request is None else line.request.payload
        needed = self._work.counts.money.budget is not None
        line.cost, line.words = await self._prices.of(line.model, payload, needed=needed)

    def too_dear(self, line: Line) -> GmiVideoError | None:
        """Why a line cannot be paid by now; None where it can."""
        money = self._work.counts.money
        if self._ceiling is not None and line.cost is not None and line.cost >= self._ceiling:
            why = f"the account could not pay {shown(self._ceiling)}, and this costs no less: add credit and run again"
            return InsufficientCredit(why, status=402)
        if money.budget is not None and (line.cost is None or not money.fits(line.cost)):
            return self._beyond(line)
        return None

    def _beyond(self, line: Line) -> BudgetExceeded:
        """A line waits for a larger budget, or for a price; the run ends with the last of these, if not by another."""
        money = self._work.counts.money
        taken = ""
        if line.cost is None:
            why = f"no price is known of {line.model} for this payload: give assume_price, or no budget"
        else:
            why = f"{shown(line.cost)} for {line.model} would pass the budget of {shown(money.budget or Decimal(0))}"
            taken = f": {shown(money.spent)} are spent and {shown(money.reserved)} reserved"
        exceeded = partial(BudgetExceeded, budget=money.budget, spent=money.spent, reserved=money.reserved)
        self._work.beyond = exceeded(why + taken)
        return exceeded(why)  # the same words for all lines of one price

    async def affordable(self, lines: list[Line]) -> list[Line]:
        """Those waiting lines of one model that can be paid; the others are set aside, a statement for each price.

        As long as all could be paid none is looked at: its turn tells.
        """
        if not self.tight:
            return lines
        fine: list[Line] = []
        dear: dict[str, tuple[GmiVideoError, list[Line]]] = {}
        for line in lines:
            try:
                await self.price(line)
            except GmiVideoError:  # told when its turn comes
                fine.append(line)
                continue
            error = self.too_dear(line)
            if error is None:
                fine.append(line)
            else:
                dear.setdefault(str(error), (error, []))[1].append(line)
        for error, some in dear.values():
            await park_all(self._work, some, "credit", error)
        return fine
