"""What a line will cost, by the catalog's list prices or by what the caller assumes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gmi_video.catalog import Model
from gmi_video.errors import GmiVideoError, NotFound
from gmi_video.session import Session


def shown(amount: Decimal) -> str:
    """Money as people read it: whole to the cent, exact beyond it."""
    cents = amount.quantize(Decimal("0.01"))
    return f"${cents if cents == amount else amount.normalize():,f}"


class Prices:
    """Prices of one run. A model's schema is asked for once; the session keeps it for an hour."""

    def __init__(self, session: Session, assumed: Decimal | None) -> None:
        self._session = session
        self._assumed = assumed
        self._models: dict[str, Model | None] = {}

    async def of(
        self, model_id: str, payload: Mapping[str, Any], *, needed: bool
    ) -> tuple[Decimal | None, str]:
        """Dollars, and the words that they were read from; None where nobody knows.

        Raises what the catalog raises where the price is `needed`, so that it can be asked for later.
        """
        if model_id not in self._models:
            try:
                self._models[model_id] = await self._session.model(model_id)
            except NotFound:
                self._models[model_id] = None
            except GmiVideoError:
                if needed:
                    raise
                return self._otherwise()
        model = self._models[model_id]
        cost = model.price_of(payload) if model is not None else None
        return (cost.dollars, cost.words) if cost is not None else self._otherwise()

    def _otherwise(self) -> tuple[Decimal | None, str]:
        return (None, "") if self._assumed is None else (self._assumed, "assumed")
