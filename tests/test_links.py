"""Which links are followed, and what a file is called."""

import re

import pytest

from gmi_video import Media
from gmi_video._links import extension, file_name, hop, may_be_reached, vetted
from gmi_video.errors import UnsafeURL
from gmi_video.records import without_query


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/bucket/a.mp4",
        "https://storage.example:443/a.mp4?X-Goog-Signature=abc%20def&x=1",
        "https://storage.example:8443/a/b(c)*[d].mp4",
        "https://93.184.216.34/a.mp4",
    ],
)
def test_a_public_https_link_is_followed_as_it_stands(url: str) -> None:
    """What is encoded already is not encoded twice: a signature covers the very bytes of its link."""
    assert vetted(url, loopback=False) == url


def test_a_link_with_foreign_letters_is_percent_encoded() -> None:
    """A path in another script is followed in the spelling of the wire."""
    assert vetted("https://storage.example/дом.mp4", loopback=False) == (
        "https://storage.example/%D0%B4%D0%BE%D0%BC.mp4"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example/a.mp4",
        "ftp://storage.example/a.mp4",
        "file:///etc/passwd",
        "data:video/mp4;base64,AAAA",
        "https:///a.mp4",
        "https://user:password@storage.example/a.mp4",
        "https://user@storage.example/a.mp4",
        "https://storage.example:22/a.mp4",
        "https://storage.example:0/a.mp4",
        "https://storage.example:99999/a.mp4",
        "https://[::1/a.mp4",
        "https://storage.example/a b.mp4",
        "https://storage.example/a\r\nHost: evil",
        "https://storage.example/" + "a" * 8192,
        "//storage.example/a.mp4",
        "a.mp4",
        "",
        "http://127.0.0.1/a.mp4",
        "http://localhost/a.mp4",
    ],
)
def test_any_other_link_is_refused(url: str) -> None:
    """Only https at a harmless port, without credentials, is followed."""
    with pytest.raises(UnsafeURL):
        vetted(url, loopback=False)


def test_the_refusal_shows_no_query() -> None:
    """A presigned query is a secret, also where the link is refused."""
    with pytest.raises(UnsafeURL) as caught:
        vetted("http://storage.example/a.mp4?X-Goog-Signature=secret", loopback=False)

    assert "storage.example/a.mp4" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_plain_http_is_for_this_machine_only_where_the_api_is_here_too() -> None:
    """A sandbox serves files over http; another host over http is refused even then."""
    assert vetted("http://127.0.0.1:80/a.mp4", loopback=True) == "http://127.0.0.1:80/a.mp4"
    assert vetted("http://localhost:9/a.mp4", loopback=True) == "http://localhost:9/a.mp4"
    with pytest.raises(UnsafeURL):
        vetted("http://127.evil.example/a.mp4", loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.5.5",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "fe80::1%eth0",
        "fc00::1",
        "::",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "not an address",
        "/tmp/socket",
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_an_address_that_is_not_public_is_never_reached(address: str, loopback: bool) -> None:
    """Private, link-local, multicast and translated addresses are refused, also where the API is on loopback."""
    assert may_be_reached(address, loopback=loopback) is False


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_reached_only_where_the_api_is_there(address: str) -> None:
    """This machine's own addresses count as private for an API that is elsewhere."""
    assert may_be_reached(address, loopback=False) is False
    assert may_be_reached(address, loopback=True) is True


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_address_is_reached(address: str) -> None:
    """Public addresses of both families are fine."""
    assert may_be_reached(address, loopback=False) is True


HIDDEN = [
    "169.254.169.254",
    "10.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
    "0x7f.1",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "0xa9.0xfe.0xa9.0xfe",
    "0",
    "93.184.216.34.0x0",
    "１２７.0.0.1",
    "%31%32%37.0.0.1",
    "127.0.0.1\\.storage.example",
    "storage.example\\@127.0.0.1",
    "localhost.",
    "a.localhost",
    "metadata.google.internal",
    "printer.local",
    "router",
    "storage..example",
    "-.example",
    "gооgleapis.com",
]


@pytest.mark.parametrize("host", HIDDEN)
@pytest.mark.parametrize("loopback", [False, True])
def test_a_host_that_hides_a_private_address_is_refused_as_it_is_written(host: str, loopback: bool) -> None:
    """Before any name is resolved, and so behind a proxy as well; also as the target of a redirect."""
    with pytest.raises(UnsafeURL):
        vetted(f"https://{host}/a.mp4", loopback=loopback and "::1" not in host)
    with pytest.raises(UnsafeURL):
        hop("https://storage.example/a.mp4", f"//{host}/a.mp4", loopback=loopback and "::1" not in host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_this_machine_is_written_plainly_and_only_for_an_api_that_is_here(host: str) -> None:
    """A link to loopback is followed from a local service, never from the real one."""
    assert vetted(f"https://{host}/a.mp4", loopback=True) == f"https://{host}/a.mp4"
    with pytest.raises(UnsafeURL, match="private address"):
        vetted(f"https://{host}/a.mp4", loopback=False)


def test_each_hop_is_vetted_anew() -> None:
    """A redirect may be relative; one to plain http or a file is refused."""
    assert hop("https://a.example/x/y.mp4", "../z.mp4", loopback=False) == "https://a.example/z.mp4"
    assert hop("https://a.example/x", "https://b.example/y", loopback=False) == "https://b.example/y"
    for location in ("http://b.example/y", "file:///etc/passwd", "//user@b.example/y"):
        with pytest.raises(UnsafeURL):
            hop("https://a.example/x", location, loopback=False)
    with pytest.raises(UnsafeURL, match=r"'https://a\.example/x' redirects, and does not say where"):
        hop("https://a.example/x?token=1", "", loopback=False)


@pytest.mark.parametrize(
    ("url", "kind", "content_type", "wanted"),
    [
        ("https://a.example/v.MP4?x=.webm", "video", "", "mp4"),
        ("https://a.example/v.exe", "video", "", "mp4"),
        ("https://a.example/v", "image", "image/webp; charset=x", "webp"),
        ("https://a.example/v", "audio", "application/octet-stream", "mp3"),
        ("https://a.example/v.tar/", "image", "", "png"),
        ("https://a.example/a.b/v", "video", "VIDEO/QUICKTIME", "mov"),
    ],
)
def test_an_extension_is_one_of_a_list(url: str, kind: str, content_type: str, wanted: str) -> None:
    """The link's own where it is known, else the content type's, else the usual one: never the server's words."""
    media = Media(url, kind=kind)  # type: ignore[arg-type]  # the parametrization has only the three kinds

    assert extension(media, content_type) == wanted


def test_a_file_is_named_by_its_request() -> None:
    """The id of the request and the place of the file make the name; a bare link is named by its digest."""
    media = Media("https://a.example/../../etc/passwd.webm?token=1")

    assert file_name(media, "r-1") == "r-1.webm"
    assert file_name(media, "r-1", 2) == "r-1-3.webm"
    assert file_name(media, "CON") == "request-CON.webm"
    assert file_name(media, "lpt1") == "request-lpt1.webm"
    assert file_name(media, None).startswith("media-")
    assert file_name(media, None) != file_name(Media("https://a.example/other.webm"), None)


@pytest.mark.parametrize(
    "request_id",
    ["../../etc/x", "/etc/x", "a/b", "a\\b", "..", ".", "x" * 300, "a\0b", "a?b", "r-1 ", "\udcff"],
)
def test_an_id_that_is_none_is_no_name(request_id: str) -> None:
    """A record may be made by hand or read from a file: what its id says never leaves the folder."""
    name = file_name(Media("https://a.example/film.webm"), request_id)

    assert re.fullmatch(r"request-[0-9a-f]{12}\.webm", name)
    assert name != file_name(Media("https://a.example/film.webm"), "other/id")


@pytest.mark.parametrize(
    "address",
    [
        "192.0.0.192",
        "64:ff9b:1::a9fe:a9fe",
        "fec0::1",
        "::169.254.169.254",
        "::ffff:0:10.0.0.1",
        "3fff::1",
        "5f00::1",
    ],
)
def test_what_no_table_of_this_interpreter_knows_is_not_public(address: str) -> None:
    """Ways into IPv4 that were retired, and ranges that are younger than an interpreter's own list."""
    assert not may_be_reached(address, loopback=False)
    assert not may_be_reached(address, loopback=True)
    assert may_be_reached("::1", loopback=True)
    assert not may_be_reached("::1", loopback=False)
    assert may_be_reached("2607:f8b0::1", loopback=False)


def test_a_password_with_a_slash_is_not_shown() -> None:
    """It ends the name of the host early, and what stands before the sign behind it may be a part of it."""
    with pytest.raises(UnsafeURL) as caught:
        vetted("https://u:CANARY/x@h.example/x", loopback=False)

    assert "CANARY" not in str(caught.value)
    assert without_query("https://h.example:443/@me/a.mp4?x") == "https://h.example:443/@me/a.mp4"
