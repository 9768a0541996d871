"""The verbs about the account itself: whose it is, and what the service's clock says."""

from gmi_video._account import read_profile
from gmi_video._view import View
from gmi_video.login import Profile


class StandingVerbs(View):
    """`profile`, and what was learnt of the service's clock."""

    async def profile(self) -> Profile:
        """Whose login this is, and for which organisation. Only the console door has one.

        Raises `ConfigurationError` at the other doors, and what a refused login raises.
        """
        core = self._core
        return await core.patient(core.door.profile_call(), self._settings, read_profile)

    def clock_skew(self) -> float | None:
        """Seconds by which the service's clock is ahead of this machine's; None until a call has told it."""
        return self._core.clock_skew()
