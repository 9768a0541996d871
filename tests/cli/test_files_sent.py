"""Files on the command line: uploaded by name, or by standing behind a parameter."""

import json
import urllib.request

import pytest
from cargo import picture, placed

from cli.terminal import FOX, Shell
from gmi_video.sandbox import Sandbox


def moved(sandbox: Sandbox) -> tuple[int, int, int]:
    """Upload links asked for, files put, requests submitted."""
    return tuple(sandbox.count_calls(kind) for kind in ("upload", "put", "submit"))  # type: ignore[return-value]


def test_upload_prints_the_link_of_each_file(shell: Shell, sandbox: Sandbox) -> None:
    """One line of stdout for each file, in order: a link under which the very bytes lie."""
    bodies = [picture(400, 400), picture(500, 500, "PNG")]
    for name, body in zip(("a.jpg", "b.png"), bodies, strict=True):
        placed(shell.folder, name, body)

    ran = shell.run("upload", "a.jpg", "b.png")
    as_json = shell.run("upload", "a.jpg", "--json")

    assert ran.code == 0, ran.err
    links = ran.out.splitlines()
    assert [urllib.request.urlopen(link).read() for link in links] == bodies
    assert "uploaded a.jpg" in ran.err
    assert as_json.lines[0]["file"] == "a.jpg"
    assert as_json.lines[0]["url"].startswith(sandbox.media_url)


def test_what_is_not_taken_is_a_sentence(shell: Shell, sandbox: Sandbox) -> None:
    """A wrong file exits 2 with a sentence and nothing sent; among several the others go, and the code tells."""
    before = moved(sandbox)
    placed(shell.folder, "a.txt", b"hello")
    placed(shell.folder, "b.png")
    placed(shell.folder, "c.jpg")

    for words, sentence in (
        ((), "name at least one file"),
        (("a.txt",), "its bytes are none of the types that are taken"),
        (("none.jpg",), "No such file"),
        (("b.png",), "is named like a PNG picture and is a JPEG picture"),
        (("c.jpg", "--file-type", "gif"), "file_type='gif' is not taken"),
    ):
        ran = shell.run("upload", *words)
        assert (ran.code, ran.out) == (2, ""), ran.err
        assert sentence in ran.err
    assert moved(sandbox) == before
    some = shell.run("upload", "a.txt", "c.jpg")
    assert (some.code, len(some.out.splitlines())) == (2, 1)
    assert shell.run("upload", "b.png", "--file-type", "jpeg").code == 0


def test_a_picture_behind_a_parameter_is_uploaded(shell: Shell, sandbox: Sandbox) -> None:
    """`-p image=@photo.jpg` sends the file and then its link; `data:@photo.jpg` sends it along."""
    placed(shell.folder)
    before = moved(sandbox)

    linked = shell.run("submit", "wan2.6-i2v", *FOX, "-p", "img_url=@photo.jpg")
    inline = shell.run("submit", "kling-v2-6", *FOX, "-p", "image=data:@photo.jpg")

    assert (linked.code, inline.code) == (0, 0), linked.err + inline.err
    first, second = (charge.payload for charge in sandbox.charges[-2:])
    assert str(first["img_url"]).startswith(sandbox.media_url)
    assert str(second["image"]).startswith("data:image/jpeg;base64,/9j/")
    assert moved(sandbox) == (before[0] + 1, before[1] + 1, before[2] + 2)
    assert "Uploading img_url: photo.jpg, a JPEG picture of 800x600 pixels" in linked.err
    assert "Sending along image: photo.jpg" in inline.err


def test_a_dry_run_sends_no_file(shell: Shell, sandbox: Sandbox) -> None:
    """It says what would be uploaded, and what the model's page has against it; nothing leaves the machine."""
    placed(shell.folder)
    placed(shell.folder, "small.jpg", picture(200, 200))
    before = moved(sandbox)

    fine = shell.run("generate", "wan2.6-i2v", *FOX, "-p", "img_url=@photo.jpg", "--dry-run")
    small = shell.run("generate", "wan2.6-i2v", *FOX, "-p", "img_url=@small.jpg", "--dry-run")
    data = shell.run("generate", "wan2.6-i2v", *FOX, "-p", "img_url=@photo.jpg", "--dry-run", "--json")

    assert (fine.code, small.code, data.code) == (0, 0, 0), fine.err + small.err
    assert '"img_url": "@photo.jpg"' in fine.out
    assert "To be uploaded: img_url: photo.jpg, a JPEG picture of 800x600 pixels" in fine.out
    assert "Doubtful: img_url is 200x200 pixels; 360 to 2000 a side are taken" in small.out
    assert (data.lines[0]["files"][0]["place"], data.lines[0]["files"][0]["width"]) == ("img_url", 800)
    assert moved(sandbox) == before


def test_a_file_that_cannot_be_sent_is_refused_first(shell: Shell, sandbox: Sandbox) -> None:
    """A picture of a type that is not taken, and a missing file, exit 2 before anything is sent."""
    placed(shell.folder, "a.webp", picture(form="WEBP"))
    before = moved(sandbox)

    for value, sentence in (("@a.webp", "it is a WebP picture"), ("data:@none.jpg", "No such file")):
        ran = shell.run("submit", "wan2.6-i2v", *FOX, "-p", f"img_url={value}")
        assert ran.code == 2, ran.err
        assert f"img_url: {sentence}" in ran.err or sentence in ran.err
    assert moved(sandbox) == before


def test_a_picture_is_no_prompt(shell: Shell, sandbox: Sandbox) -> None:
    """It would be uploaded for everybody to see, and a video of its link be paid for."""
    placed(shell.folder, "photo.jpg", picture(400, 400))
    before = moved(sandbox)

    ran = shell.run("generate", "wan2.6-i2v", "-p", "prompt=@photo.jpg", "-p", "img_url=@photo.jpg")

    assert ran.code == 2
    assert "a prompt is text, and this file is a picture, a clip or a sound" in ran.err
    assert moved(sandbox) == before


def test_a_list_takes_files_and_links(shell: Shell) -> None:
    """The same key several times is a list, of files and links mixed."""
    placed(shell.folder)
    pairs = ("-p", "image=@photo.jpg", "-p", "image=https://a.example/b.jpg")

    ran = shell.run("generate", "wan2.6-i2v", *FOX, *pairs, "--dry-run")

    assert '"image": ["@photo.jpg", "https://a.example/b.jpg"]' in ran.out


@pytest.mark.parametrize("how", ["pair", "payload"])
@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("page.jpg", b"<html>busy</html>", "its bytes are none of the types that are taken"),
        ("empty.png", b"", "it is empty"),
        ("missing.mp4", None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_one_is_not_sent_as_words(
    how: str, name: str, body: bytes | None, why: str, shell: Shell
) -> None:
    """What is called like a picture is meant as one: its text, or its name, would be charged and make nothing."""
    if body is not None:
        (shell.folder / name).write_bytes(body)
    assert shell.sandbox is not None
    before = moved(shell.sandbox)
    payload = {"prompt": "@fox.jpg", "img_url": f"@{name}"}
    (shell.folder / "payload.json").write_text(json.dumps(payload))
    given = ("--payload", "payload.json") if how == "payload" else (*FOX, "-p", f"img_url=@{name}")

    ran = shell.run("submit", "wan2.6-i2v", *given)

    assert ran.code == 2, ran.err
    assert why in ran.err
    assert moved(shell.sandbox) == before


def test_a_link_is_not_uploaded(shell: Shell) -> None:
    """It stands in a payload as it is."""
    ran = shell.run("upload", "https://x.example/a.png")

    assert ran.code == 2
    assert "is a link: it stands in a payload as it is" in ran.err
