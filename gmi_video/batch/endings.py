"""The ends of lines as the journal has them: for those that an earlier run reached, or that were set aside."""

import json
from pathlib import Path

from gmi_video.batch.records import Finished, Stored
from gmi_video.batch.rows import as_given, key_of, request_from, snapshot_from
from gmi_video.batch.steps import Kept
from gmi_video.errors import GmiVideoError
from gmi_video.records import Saved, Snapshot, Video, VideoRequest


def finished(kept: Kept, held: VideoRequest | None) -> Finished:
    """The end of a line as the journal has it."""
    request = held or as_given(request_from(kept.model, kept.payload, kept.key))
    snapshot = snapshot_from(kept.snapshot, kept.request_id, kept.model)
    stored = tuple(Stored(**file) for file in json.loads(kept.files or "[]"))
    error = None if kept.error is None else GmiVideoError.from_dict(json.loads(kept.error))
    if error is not None:
        error.key, error.request_id = key_of(kept.key), kept.request_id
    video = None
    if error is None and snapshot is not None:
        video = Video(snapshot=snapshot, files=_saved(stored, snapshot))
    return Finished(
        request=request,
        key=request.key,
        number=kept.number,
        state=kept.state,
        video=video,
        error=error,
        stored=stored,
        attempts=kept.attempts,
        cost=kept.cost,
        queued=kept.queued,
        processing=kept.processing,
        downloading=kept.downloading,
    )


def _saved(stored: tuple[Stored, ...], snapshot: Snapshot) -> tuple[Saved, ...]:
    """The files as a folder has them; a sink's locations are no paths, so they count where they are."""
    media = snapshot.outcome.media if snapshot.outcome else ()
    pairs = zip(stored, media, strict=False)
    return tuple(
        Saved(path=Path(file.location), size=file.size, sha256=file.sha256, media=item)
        for file, item in pairs
        if "://" not in file.location
    )
