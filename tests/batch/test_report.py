"""A report is one file that needs no network, believes no prompt, and stays usable at ten thousand lines."""

import json
import re
import tracemalloc
from base64 import b64decode, b64encode
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from attrs import define, field

from batch.rows import EVIL, row, statistics, stored
from gmi_video.batch.cards import card, href, main, pictured
from gmi_video.batch.figures import Figures, Spread
from gmi_video.batch.plots import durations, spending
from gmi_video.batch.records import Row
from gmi_video.batch.report import write_report


@define
class Page(HTMLParser):
    """What a browser would find in a page: its elements with their attributes, and the text of its scripts."""

    elements: list[tuple[str, dict[str, str]]] = field(factory=list)
    scripts: list[str] = field(factory=list)
    words: str = ""

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.words += f" {' '.join(data.split())}"

    @property
    def cards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.scripts[0])
        return found


def page(folder: Path, *rows: Row, **options: Any) -> Page:
    told = options.pop("statistics", statistics())
    path = write_report(folder / "report.html", lambda: iter(rows), told, **options)
    found = Page()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def test_a_prompt_is_data_and_never_markup(tmp_path: Path) -> None:
    """Whatever stands in a prompt, a key, a model or a reason, the page has its own two scripts and no element more."""
    plain = page(tmp_path, row(), row(2, state="failed", reason="no"))

    found = page(
        tmp_path,
        row(payload={"prompt": EVIL}, key=EVIL, model=EVIL.replace("\u2028", "").replace("\ud83e", "")),
        row(2, state="failed", kind="content", reason=EVIL),
        title=EVIL.replace("\ud83e", ""),
    )

    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert len(found.scripts) == 2
    assert found.cards[0]["prompt"] == EVIL.replace("\ud83e", "?")
    assert 'document.title="owned"' in found.words


def test_nothing_of_the_page_comes_from_elsewhere(tmp_path: Path) -> None:
    """No element loads from a network, and the policy allows one script: the page's own, by its digest."""
    found = page(tmp_path, row(files=(stored("https://store.test/a.mp4?sig=secret"),)))

    loaded = [value for _, attrs in found.elements for name in ("src", "href") if (value := attrs.get(name))]
    policy = next(
        attrs["content"] for tag, attrs in found.elements if tag == "meta" and "http-equiv" in attrs
    )
    digest = b64encode(sha256(found.scripts[1].encode()).digest()).decode()
    assert loaded == ["data:,"]
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "secret" not in (tmp_path / "report.html").read_text()


def test_a_card_links_to_its_file_beside_the_report(tmp_path: Path) -> None:
    """The link is relative and leads to the file, whatever signs its name has."""
    film = tmp_path / "out" / "a #1 50%:狐?.mp4"

    (found,) = page(tmp_path, row(files=(stored(str(film), 2_400_000),))).cards

    assert found["href"] == "out/a%20%231%2050%25%3A%E7%8B%90%3F.mp4"
    assert (found["file"], found["kind"], found["size"]) == (film.name, "video", 2_400_000)


def test_a_folder_that_was_moved_keeps_its_links(tmp_path: Path) -> None:
    """Files are found where the journal says, else below its folder by the end of their path; a stranger's are not."""
    home, pages = tmp_path / "v2", tmp_path / "pages"
    (home / "Veo3").mkdir(parents=True)
    pages.mkdir()
    for name, size in (("k0.mp4", 3), ("Veo3/k1.mp4", 3), ("k2.mp4", 9)):
        (home / name).write_bytes(b"x" * size)
    locations = ("/gone/v1/k0.mp4", "v1/Veo3/k1.mp4", "/gone/v1/k2.mp4", str(home / "k2.mp4"), "../k0.mp4")
    rows = [row(n, files=(stored(place, 3),)) for n, place in enumerate(locations, 1)]
    seen: list[Path] = []

    found = page(pages, *rows, home=home, picture=seen.append)
    moved = page(home, *rows)

    links = [card["href"] for card in found.cards]
    assert (links[0], links[1], links[3]) == ("../v2/k0.mp4", "../v2/Veo3/k1.mp4", "../v2/k2.mp4")
    assert links[2].endswith("gone/v1/k2.mp4")
    assert {home / "k0.mp4", home / "Veo3/k1.mp4"} <= set(seen)
    assert [card["href"] for card in moved.cards][:2] == ["k0.mp4", "Veo3/k1.mp4"]
    assert links[4] == "../v2/k0.mp4"


@pytest.mark.parametrize(
    ("location", "link"),
    [
        ("https://me:pw@store.test/a%20b.mp4?X-Goog-Signature=1#x", "https://store.test/a%20b.mp4"),
        ("s3://bucket/a.mp4", None),
        ("javascript:alert(1)//a.mp4", None),
        ("JavaScript:alert(1)", None),
        ("data:text/html,<b>", None),
    ],
)
def test_only_what_a_browser_may_open_is_a_link(tmp_path: Path, location: str, link: str | None) -> None:
    """A web address is linked without its query; other schemes are told by name and linked nowhere."""
    assert href(location, tmp_path) == link


def test_a_video_goes_before_its_pictures() -> None:
    """A line's video is its main file, and what a thumbnail is made of must lie on a disk."""
    files = (stored("/a/t.jpg"), stored("/a/v.mp4"))

    assert main(row(files=files)) == files[1]
    assert pictured(row(files=files)) == Path("/a/t.jpg")
    assert pictured(row(files=(stored("s3://b/v.mp4"), stored("/a/v.mp3")))) is None
    assert main(row()) is None


def test_a_card_shows_no_other_parameter(tmp_path: Path) -> None:
    """Of a payload only its words are shown: the links in it may be secrets."""
    told = card(row(payload={"image": "https://x.test/?sig=1", "prompt": "", "text": "say hi"}), tmp_path)

    assert told["prompt"] == "say hi"
    assert "sig" not in json.dumps(told)


def test_failures_are_grouped_by_reason(tmp_path: Path) -> None:
    """Lines that failed alike are one row, the most frequent first, ids in the reason apart; words are the vendor's."""
    figures = Figures()
    for number in range(1, 6):
        figures.take(row(number, state="failed", kind="rate", reason=f"limit of job 12345{number} <b>"))
    figures.take(row(6, key="six", state="failed", reason=""))
    figures.take(row(7, state="parked", kind="credit", reason="Insufficient credits."))

    first, second = figures.failures
    assert (first.count, first.kind, first.words) == (5, "rate", "limit of job 123451 <b>")
    assert first.names == ["line 1", "line 2", "line 3"]
    assert (second.words, second.names) == ("no reason was given", ["six"])
    assert [reason.words for reason in figures.parked] == ["Insufficient credits."]
    told = page(tmp_path, *(row(n, state="failed", kind="rate", reason=f"limit <b> {n}") for n in (1, 2)))
    assert "limit <b> 1" in told.words


@pytest.mark.parametrize(
    "reason",
    [
        "Media(url=https://store.test/p/Veo3_{id}-1.mp4, kind='video', id=None) leads to text/html, and to no media",
        "the storage host does not hand out Media(url=https://s.test/{id}.mp4, kind='video', id='{id}') any more (404)",
        "cannot write '/data/out/a b/k{n}.mp4': No space left on device",
        "cannot write 'k{n}.mp4': files of that name are there already",
        'cannot write "/data/it\'s/k{n}.mp4": No space left on device',
        "see https://help.test/{id}?job={n} for job_{id}_x",
        "worker /var/run/w{n}.sock is gone",
    ],
)
def test_names_of_one_line_tell_no_reasons_apart(reason: str, tmp_path: Path) -> None:
    """Ids wherever they stand, links and paths are a line's own: lines that differ in them only are one row."""
    told = [reason.format(id=f"5ba91faf-0000-4000-8000-00000000000{n}", n=n) for n in range(5)]
    figures = Figures()
    for number, words in enumerate(told):
        figures.take(row(number, state="failed", kind="service", reason=words))
    figures.take(row(9, state="failed", kind="service", reason="can't be: it's 1/2 of what's allowed"))
    figures.take(row(10, state="failed", kind="service", reason="can't be: it's 2/2 of what's allowed"))

    found = page(tmp_path, row(state="failed", reason=told[0]))

    assert [each.count for each in figures.failures] == [5, 1, 1]
    assert "Media(" not in found.words + str(found.cards)


def test_money_that_is_gone_is_drawn_whatever_came_of_it() -> None:
    """The curve ends at the sum of all that was paid: for lines that failed or are parked after that as well."""
    figures = Figures()
    figures.take(row(1))
    figures.take(row(2, state="failed", spent=True))
    figures.take(row(3, state="parked", spent=True, submitted_at=None))
    figures.take(row(4, state="failed"))

    assert figures.spending()[-1][1] == pytest.approx(1.8)


def test_reasons_without_end_are_counted_together() -> None:
    """Two hundred reasons are told apart; a service that never repeats itself fills no memory."""
    figures = Figures()
    for number in range(1000):
        figures.take(row(number, state="failed", reason=f"reason {'x' * (number % 997)}"))

    assert len(figures.failures) <= 201
    assert sum(reason.count for reason in figures.failures) == 1000


def test_durations_are_spread_by_model() -> None:
    """Percentiles are of finished lines only; a stage that nobody saw is left out."""
    figures = Figures()
    for number in range(101):
        figures.take(row(number, model="slow", queued=None, processing=100.0 + number, downloading=None))
    figures.take(row(200, model="quick"))
    figures.take(row(201, model="quick", state="failed", processing=9e9))

    quick, slow = figures.spreads()
    assert (quick.model, quick.count, quick.median) == ("quick", 1, 72.0)
    assert (slow.median, slow.late, slow.whole[0], slow.whole[100]) == (150.0, 195.0, 100.0, 200.0)
    assert (slow.queued, slow.processing) == (None, 150.0)


def test_spending_ends_at_the_sum() -> None:
    """However many lines there are, the curve has few points, rises with time, and ends at the whole sum."""
    figures = Figures()
    for number in range(1000, 0, -1):
        figures.take(row(number))
    figures.take(row(2000, state="failed"))

    points = figures.spending(30)
    assert len(points) <= 31
    assert points == sorted(points)
    assert points[-1][0] == 2000.0
    assert points[-1][1] == pytest.approx(600.0)
    assert Figures().spending() == []


def test_plots_are_drawings_and_nothing_else() -> None:
    """A plot is well-formed SVG without script, the same each time, and names models as they are."""
    figures = Figures()
    for number in range(30):
        figures.take(row(number, model='<b>&"\x07', processing=60.0 + number))

    drawn = [durations(figures.spreads()), spending(figures.spending(), 20.0)]

    for svg in drawn:
        names = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}
        assert not names & {"script", "image", "foreignObject", "a"}
        assert "<!--" not in svg
    assert drawn == [durations(figures.spreads()), spending(figures.spending(), 20.0)]
    assert "&lt;b&gt;&amp;" in drawn[0]


@pytest.mark.parametrize(
    ("took", "words"),
    [(0.02, "seconds since"), (100.0, "seconds since"), (600.0, "minutes since"), (20_000.0, "hours since")],
)
def test_money_is_drawn_until_the_end_in_units_that_fit(took: float, words: str) -> None:
    """A batch that was submitted within a moment has an axis as long as it took, in seconds where it took seconds."""
    drawn = spending([(1000.0, 3.2), (1000.01, 6.4)], None, 1000.0 + took)

    labels = re.findall(r"<text[^>]*>([^<]+)</text>", drawn)
    numbers = [float(label.replace(",", "")) for label in labels if label[0].isdigit()]
    assert words in drawn
    assert 2 <= max(numbers) <= 180 or took < 1
    assert not any("e" in label for label in labels if label[0].isdigit())


def test_a_box_holds_half_of_its_lines() -> None:
    """The box is drawn from the first quartile to the third, the whiskers at the 5th and 95th percentile."""
    whole = [float(number) for number in range(101)]
    spread = Spread(model="m", count=5, queued=None, processing=None, downloading=None, whole=whole)

    assert "Min: 5\nQ1 : 25\nQ2 : 50\nQ3 : 75\nMax: 95" in durations([spread])


def test_money_is_told_against_the_budget(tmp_path: Path) -> None:
    """Spent, reserved and budget are told to the cent and beyond it where a price is finer."""
    told = statistics(spent=Decimal("12.345"), reserved=Decimal("0.6"), budget=Decimal(20))

    found = page(tmp_path, row(), statistics=told)

    assert "$12.345 spent by list prices against a budget of $20.00" in found.words
    assert ("i", {"style": "width: 61.73%"}) in found.elements or "61.7" in str(found.elements)


def test_undecided_lines_are_listed_with_what_they_may_be(tmp_path: Path) -> None:
    """Each stands with its price, its candidates and the command that decides it."""
    found = page(
        tmp_path,
        row(4, state="uncertain", candidates=("id-1", "id-2"), reason="the answer was lost"),
        statistics=statistics(orphans=1),
        decide="gmi-video batch resolve run.db LINE ID",
    )

    for words in (
        "together $0.60",
        "id-1",
        "id-2",
        "gmi-video batch resolve run.db LINE ID",
        "1 requests at",
    ):
        assert words in found.words


def test_ten_thousand_lines_are_data_and_few_elements(tmp_path: Path) -> None:
    """The page's elements do not grow with its lines: a browser draws one page of cards at a time."""
    small = page(tmp_path, *(row(number) for number in range(1, 4)))

    large = page(tmp_path, *(row(number) for number in range(1, 10_001)))

    assert len(large.cards) == 10_000
    assert abs(len(large.elements) - len(small.elements)) < 20


def test_a_report_is_written_as_its_rows_are_read(tmp_path: Path) -> None:
    """Rows are held a few at a time: a page of megabytes is written in little memory."""

    def rows() -> Iterator[Row]:
        return (row(number, payload={"prompt": "x" * 1500}) for number in range(1, 3001))

    write_report(tmp_path / "report.html", lambda: islice(rows(), 10), statistics())
    tracemalloc.start()
    path = write_report(tmp_path / "report.html", rows, statistics())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert path.stat().st_size > 4_500_000
    assert peak < 2_500_000


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    """Beyond the most cards of one file the sums still count every line, and the page says so."""
    found = page(tmp_path, *(row(number) for number in range(1, 8)), most=5)

    assert len(found.cards) == 5
    assert "The first 5 of 7 lines" in found.words


def test_a_report_is_whole_or_not_there(tmp_path: Path) -> None:
    """A journal that breaks off half-way leaves the report that was there, and nothing beside it."""
    (tmp_path / "report.html").write_text("old")
    asked = 0

    def rows() -> Iterator[Row]:
        nonlocal asked
        asked += 1
        yield from (row(number) for number in range(1, 200))
        if asked == 2:
            raise OSError(5, "gone")

    with pytest.raises(OSError, match="gone"):
        write_report(tmp_path / "report.html", rows, statistics())

    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"


def test_a_batch_without_lines_has_a_report(tmp_path: Path) -> None:
    """Where nothing was done yet the page says so instead of failing."""
    assert "0 lines" in page(tmp_path, statistics=statistics(spent=Decimal(0))).words


def test_thumbnails_are_frames_of_the_files(tmp_path: Path) -> None:
    """A video and a picture are seen small; a list of other files that calls itself a video opens none."""
    av = pytest.importorskip("av")
    image = pytest.importorskip("PIL.Image")
    from gmi_video.batch.thumbnails import thumbnail  # noqa: PLC0415  # where its libraries are there

    film, still, photo, bad = (tmp_path / name for name in ("a.mp4", "a.png", "a.jpeg", "b.mp4"))
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_image(image.new("RGB", (640, 360), "green"))))
        container.mux(stream.encode())
    image.new("RGB", (300, 900), "red").save(still)
    image.new("RGB", (800, 600), "red").save(photo)
    bad.write_text("ffconcat version 1.0\nfile a.mp4\n")

    found = page(
        tmp_path, *(row(n, files=(stored(str(path)),)) for n, path in enumerate((film, still, photo, bad), 1))
    )

    seen = [image.open(BytesIO(b64decode(each["thumb"]))) for each in found.cards if "thumb" in each]
    assert [picture.size for picture in seen] == [(256, 144), (64, 192), (256, 192)]
    assert seen[0].convert("RGB").getpixel((100, 100))[1] > 80
    assert thumbnail(bad) is None
    assert thumbnail(tmp_path / "none.mp4") is None
