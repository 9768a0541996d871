"""The verbs that carry files."""

import os
from pathlib import Path

from gmi_video import errors
from gmi_video._saving import Place
from gmi_video._view import View
from gmi_video.records import Media, Saved, Snapshot, first_media


class FileVerbs(View):
    """`download`."""

    async def download(
        self,
        what: object,
        *,
        to: str | os.PathLike[str] | None = None,
        into: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> Saved:
        """The first media of `what` as a file: whole at its place, or not there at all.

        Args:
            what: media, or anything that stands for one: an outcome, a snapshot, an event, a video.
            to: the file; `into`: the folder (the current one where neither is given).
            into: see above; the name is made from the request's id, or from a digest of the link.
            overwrite: replace a file that is there, at the very end and atomically.

        Raises `TransferError` leaves, and `GenerationEmpty` where there is no media.
        """
        media = first_media(what)
        if media is None:
            message = f"{type(what).__name__} names no file to download"
            raise errors.GenerationEmpty(message, charged="no")
        place = await Place.checked(
            to, into if to is not None or into is not None else ".", overwrite=overwrite
        )
        snapshot = what if isinstance(what, Snapshot) else getattr(what, "snapshot", None)
        request_id = snapshot.request_id if isinstance(snapshot, Snapshot) else None
        return await place.save_one(media, request_id, self._save)

    async def _save(self, media: Media, target: Path, overwrite: bool) -> Saved:  # noqa: FBT001  # a callback's shape
        state = await self._core.open()
        return await state.downloads.save(
            media, target, overwrite=overwrite, patience=self._settings.patience
        )
