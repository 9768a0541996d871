"""What a file is, told from its first bytes: a name can say anything. Pure.

The upload takes six names for five types (the vendor's Upload API: jpeg, jpg, png, mp4, mp3, wav). Other types are
known by sight so that a refusal can name them.
"""

from collections.abc import Callable
from mimetypes import MimeTypes

from attrs import field, frozen

from gmi_video._mp3 import PADDING, behind_tags, first_frame, frame_of
from gmi_video.records import MediaKind

HEAD = 16
"""Bytes that tell the type."""


@frozen
class FileType:
    """One type: its short name, what people call it, and its content type; `kind` is None for no media."""

    name: str
    words: str
    kind: MediaKind | None = None
    content_type: str = ""
    extensions: tuple[str, ...] = field(default=(), kw_only=True)


JPEG = FileType("jpeg", "a JPEG picture", "image", "image/jpeg", extensions=("jpeg", "jpg", "jpe", "jfif"))
PNG = FileType("png", "a PNG picture", "image", "image/png", extensions=("png",))
MP4 = FileType(
    "mp4", "an MP4 video", "video", "video/mp4", extensions=("mp4", "m4v", "mov", "qt", "3gp", "3g2")
)
MP3 = FileType("mp3", "an MP3 sound", "audio", "audio/mpeg", extensions=("mp3",))
WAV = FileType("wav", "a WAV sound", "audio", "audio/wav", extensions=("wav", "wave"))
WEBP = FileType("webp", "a WebP picture", "image", "image/webp", extensions=("webp",))

UPLOADED = (JPEG, PNG, MP4, MP3, WAV)
"""What the storage takes; QuickTime's `.mov` has been uploaded as mp4 by others."""

_GIF = FileType("gif", "a GIF picture", "image", "image/gif", extensions=("gif",))
_HEIC = FileType("heic", "a HEIC picture", "image", "image/heic", extensions=("heic", "heif"))
_AVIF = FileType("avif", "an AVIF picture", "image", "image/avif", extensions=("avif",))
_WEBM = FileType("webm", "a WebM or Matroska video", "video", "video/webm", extensions=("webm", "mkv"))
_AVI = FileType("avi", "an AVI video", "video", "video/x-msvideo", extensions=("avi",))
_M4A = FileType("m4a", "an M4A sound", "audio", "audio/mp4", extensions=("m4a", "m4b"))
_OGG = FileType("ogg", "an Ogg sound", "audio", "audio/ogg", extensions=("ogg", "oga", "opus"))
_FLAC = FileType("flac", "a FLAC sound", "audio", "audio/flac", extensions=("flac",))
_AAC = FileType("aac", "an AAC sound", "audio", "audio/aac", extensions=("aac", "adts"))
_CR3 = FileType("cr3", "a raw picture of Canon's", "image", "image/x-canon-cr3", extensions=("cr3",))
_PDF = FileType("pdf", "a PDF document", extensions=("pdf",))

NAMED = {
    extension: kind
    for kind in (*UPLOADED, WEBP, _GIF, _HEIC, _AVIF, _WEBM, _AVI, _M4A, _OGG, _FLAC, _AAC, _CR3, _PDF)
    for extension in kind.extensions
}
"""The type that an extension promises."""

_SIGNS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"ID3", MP3),
    (b"\x1aE\xdf\xa3", _WEBM),
    (b"OggS", _OGG),
    (b"fLaC", _FLAC),
    (b"%PDF-", _PDF),
)
_RIFF = {b"WAVE": WAV, b"WEBP": WEBP, b"AVI ": _AVI}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avci", b"avcs"), _HEIC),
    b"crx ": _CR3,
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), _M4A),
}
"""Major brands of ISO base media files (https://mp4ra.org) that are no video; any other is taken for one."""
_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"pnot", b"skip", b"free"})
"""Boxes that QuickTime began with before there were brands."""


def seen_as(head: bytes) -> FileType | None:
    """The type that the first bytes of a file show, or None where they show none that is known."""
    for sign, kind in _SIGNS:
        if head.startswith(sign):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], MP4)
    if head[4:8] in _QUICKTIME and head[0] < 0x20:  # where text has a letter or a space, a box has its length
        return MP4
    if frame_of(head) is not None:
        return MP3
    return _AAC if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 else None


def telling(at: Callable[[int, int], bytes]) -> bytes:
    """The bytes of a file by which `seen_as` knows it: its first ones, or behind tags of ID3v2 what is tagged."""
    head = at(0, HEAD)
    if not head.startswith(b"ID3"):
        return head
    start = behind_tags(at)
    behind = at(start, PADDING).lstrip(b"\0")[:HEAD]
    if seen_as(behind) is None and (found := first_frame(at, start)) is not None:
        return at(found[0], HEAD)
    return behind or b"\0"


def said_by(name: str) -> FileType | None:
    """The type that a file's name promises, or None where it promises none that is known."""
    return NAMED.get(name.rpartition(".")[2].lower()) if "." in name else None


def extension_for(extension: str, head: bytes) -> str:
    """The extension that a file gets: the one that it was to have, unless its bytes are of another type."""
    found = seen_as(head)
    if found is None or found.kind is None or extension in found.extensions:
        return extension
    if (extension, found.name) in _GENERAL:
        return extension
    return "jpg" if found is JPEG else found.name


_GENERAL = frozenset({("m4a", "mp4"), ("m4b", "mp4"), ("avif", "heic")})
"""Extensions, and the type that a general brand of their container shows in place of theirs."""


def named(file_type: str) -> FileType | None:
    """The uploadable type of that name; `jpg` is `jpeg`."""
    kind = NAMED.get(file_type.lower())
    return kind if kind in UPLOADED and file_type.lower() in {*_TOLD, "jpg"} else None


_TOLD = tuple(kind.name for kind in UPLOADED)
TAKEN = "jpeg, jpg, png, mp4, mp3 and wav"


def objection(name: str, head: bytes, *, told: FileType | None = None, hint: str = "") -> str | None:
    """Why a file is not uploaded, or None where it is: its bytes are what counts, and they must agree with what was
    `told`, or else with the file's own name; `hint` says what else than renaming it would help.
    """  # noqa: D205  # one thought
    found = seen_as(head)
    if not head:
        return "it is empty"
    if found is None:
        return f"its bytes are none of the types that are taken: {TAKEN}"
    if found not in UPLOADED:
        return f"it is {found.words}; {TAKEN} are taken"
    if told is not None:
        return None if told == found else f"it is {found.words}, not {told.words} as file_type says"
    promised = said_by(name)
    if promised == found or (promised is None and not (other := _other(name, found))):
        return None
    words = other if promised is None else promised.words
    return f"it is named like {words} and is {found.words}: rename it{hint.format(found.name)}"


_REGISTERED = MimeTypes()  # not what this machine has added to it
_ANY = "application/octet-stream"


def _other(name: str, found: FileType) -> str:
    """The content type that a name promises, where it is another one than the file's."""
    told = _REGISTERED.guess_type(name)[0]
    return "" if told in {None, _ANY, found.content_type} else f"{told}"
