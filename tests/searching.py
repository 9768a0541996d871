"""How long counter-examples are searched for: a fraction of it in every run, all of it in those of `-m soak`."""

from typing import Any

from hypothesis import settings

IN_SOAK = "soak"
"""The profile of a run of bulk counts, which `conftest.py` loads."""


def search(few: int, *, of: int, **more: Any) -> settings:
    """A search that takes long: so few examples, the same in every run, or with `-m soak` all of them."""
    return settings(max_examples=of if settings.get_current_profile_name() == IN_SOAK else few, **more)
