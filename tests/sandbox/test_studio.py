import asyncio
import wave
from io import BytesIO

import pytest

from gmi_video.sandbox.clips import Clip
from gmi_video.sandbox.studio import Studio, tone
from gmi_video.testing import run

SMALL = Clip("video", 64, 64, 1, "Veo3", "x")


def test_samples_are_served_where_nothing_is_rendered() -> None:
    """Without rendering a video is the shipped MP4 and a picture the shipped JPEG, whatever was asked for."""

    async def main() -> None:
        studio = Studio(rendering=False)
        film = await studio.make(SMALL)
        picture = await studio.make(Clip("image", 9999, 9999, 0, "m", "x"))
        await studio.close()

        assert (film.content_type, film.body[4:8]) == ("video/mp4", b"ftyp")
        assert (picture.content_type, picture.body[:2]) == ("image/jpeg", b"\xff\xd8")
        assert studio.note is None

    run(main())


def test_samples_are_served_where_the_renderer_is_missing() -> None:
    """Where PyAV or Pillow is missing the samples are served, and the note says so."""

    async def main() -> None:
        studio, plain = Studio(rendering=True, missing="install it"), Studio(rendering=False)
        made, sample = await studio.make(SMALL), await plain.make(SMALL)
        await studio.close()
        await plain.close()

        assert made == sample
        assert studio.note == "install it"

    run(main())


def test_callers_who_want_the_same_clip_share_one_rendering() -> None:
    """Ten callers get one and the same object, also those who come later."""

    async def main() -> None:
        studio = Studio(rendering=True)
        made = await asyncio.gather(*(studio.make(SMALL) for _ in range(10)))
        later = await studio.make(SMALL)
        await studio.close()

        assert {id(stored) for stored in (*made, later)} == {id(later)}

    run(main())


def test_a_caller_who_leaves_does_not_spoil_the_work() -> None:
    """Cancelling one caller leaves the rendering to the others."""

    async def main() -> None:
        studio = Studio(rendering=True)
        leaving, staying = asyncio.create_task(studio.make(SMALL)), asyncio.create_task(studio.make(SMALL))
        await asyncio.sleep(0)
        leaving.cancel()
        stored = await staying
        await studio.close()

        assert leaving.cancelled()
        assert stored.body[4:8] == b"ftyp"

    run(main())


@pytest.mark.parametrize(("rendering", "ahead"), [("early", 8), (True, 0), (False, 0)])
def test_only_early_rendering_begins_before_it_is_asked(rendering: bool, ahead: int) -> None:
    """Ahead of demand at most eight clips are under way, and none at all where rendering is not early."""

    async def main() -> None:
        studio = Studio(rendering)
        for number in range(20):
            studio.expect(Clip("video", 64, 64, 1, "m", str(number)))
        begun = studio.under_way
        await studio.close()

        assert begun == ahead

    run(main())


def test_a_clip_made_early_is_there_when_it_is_asked_for() -> None:
    """A clip that was expected is not made twice."""

    async def main() -> None:
        studio = Studio("early")
        studio.expect(SMALL)
        first = await studio.make(SMALL)
        studio.expect(SMALL)

        assert studio.under_way == 0
        assert await studio.make(SMALL) is first
        await studio.close()

    run(main())


def test_sound_is_a_wav_file_of_its_length() -> None:
    """An audio artifact is a WAV file that lasts as long as was asked for."""

    async def main() -> None:
        studio = Studio(rendering=True)
        stored = await studio.make(Clip("audio", 64, 64, 2.5, "m", "x"))
        await studio.close()

        with wave.open(BytesIO(stored.body)) as sound:
            assert sound.getnframes() / sound.getframerate() == 2.5
        assert stored.content_type == "audio/wav"
        assert stored.body == tone(2.5)

    run(main())
