"""The verb that sends files."""

from gmi_video._contents import Source, contents_of
from gmi_video._uploads import Progress
from gmi_video._view import View


class UploadVerbs(View):
    """`upload`."""

    async def upload(
        self, source: Source, *, file_type: str | None = None, progress: Progress | None = None
    ) -> str:
        """The public link under which a file lies from now on, for use in a payload.

        Args:
            source: a path, bytes, or `Chunks(read, length=…)`, whose factory begins anew for each attempt.
            file_type: what the file is (jpeg, jpg, png, mp4, mp3, wav), where its name promises another type.
            progress: is called with a `Transfer` now and then; what it raises is logged.

        The type is told by the bytes, and nothing but those types leaves the machine. The file is streamed to the
        storage host without credentials; it is broken off and begun again, with a link of its own each time, at
        most three times in all. What lies there then is held against the checksum of what was sent.

        Raises:
            ConfigurationError: the file cannot be read, is not of a type that is taken, or not what it is called;
                nothing was sent.
            TransferError: the storage refused it (`LinkExpired`: by link after link), it arrived damaged
                (`IntegrityError`), GMI named a place that is no public one (`UnsafeURL`), or the file changed.
            TransportError: neither could be reached, or the connection broke each time.
        """
        contents = await contents_of(source, file_type)
        state = await self._core.open()
        return await state.supply.uploads.send(contents, self._settings, progress)
