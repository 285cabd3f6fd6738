"""How servers are treated when they ask for patience, refuse, or lead elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from book_server import BOOK, FAST, ME, START, Entry, Server, Time, book_server, fetch, reason
from web_server import cut_after, redirect, slowly, status

from transferset.errors import TransfersetError, UsageError
from transferset.sources.books.fetch import Fetched, fetch_books


@pytest.fixture
def server() -> Iterator[Server]:
    with book_server(Time()) as server:
        yield server


def test_a_pause_is_kept_between_books(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, *(server.book(f"{n}.txt") for n in range(5)))
    assert server.gaps == [FAST.pause] * 5


def test_the_pause_holds_from_one_run_to_the_next(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, server.book("1.txt"))
    fetch(server, tmp_path, server.book("2.txt"))
    assert server.gaps == [FAST.pause] * 2


def test_the_pause_begins_when_an_answer_has_ended(server: Server, tmp_path: Path) -> None:
    def long(to: object) -> None:
        server.time.now += 50
        cut_after(10**9)(to)  # type: ignore[arg-type]

    server.play("/1.txt", long)
    fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert server.gaps == [FAST.pause, 50 + FAST.pause]


def test_a_host_has_one_connection_and_several_hosts_are_asked_at_once(tmp_path: Path) -> None:
    time = Time()
    with ExitStack() as stack:
        servers = [stack.enter_context(book_server(time)) for _ in range(3)]
        entries = []
        for server in servers:
            for n in range(3):
                entries.append(server.book(f"{n}.txt", BOOK * 40))
                server.play(f"/{n}.txt", slowly(0.02))
        roots = tuple(server.root for server in servers)
        got = fetch(servers[0], tmp_path, *entries, also=roots)
        assert all(got.files)
        assert [book.url for book in got.files if book] == [entry.url for entry in entries]
        assert [server.stage.open_most for server in servers] == [1, 1, 1]
        for server in servers:
            assert server.paths == ["/robots.txt", "/0.txt", "/1.txt", "/2.txt"]


def test_books_that_lead_to_one_host_wait_for_each_other(tmp_path: Path) -> None:
    time = Time()
    with ExitStack() as stack:
        first, second, shared = (stack.enter_context(book_server(time)) for _ in range(3))
        entries = []
        for n, server in enumerate([first, second] * 3):
            shared.play(f"/{n}.txt", slowly(0.02))
            server.play(f"/{n}.txt", redirect(shared.book(f"{n}.txt", BOOK * 20).url))
            entries.append(Entry(f"{server.root}/{n}.txt"))
        roots = (first.root, second.root, shared.root)
        assert all(fetch(first, tmp_path, *entries, also=roots).files)
        assert shared.stage.open_most == 1
        assert shared.count("/robots.txt") == 1
        assert len(shared.asked) == 7


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_obeyed(
    server: Server, tmp_path: Path, code: int, as_date: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "90"
    if as_date:  # dates are of the real clock
        asked = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server.play("/1.txt", status(code, Retry_After=asked), cut_after(10**9))
    assert fetch(server, tmp_path, server.book("1.txt")).files[0] is not None
    assert server.gaps[1] == pytest.approx(90, abs=3)
    assert server.count("/1.txt") == 2


def test_backoff_doubles_when_nothing_is_asked_for(server: Server, tmp_path: Path) -> None:
    server.play("/1.txt", status(503))
    with pytest.raises(TransfersetError, match="run the same command later"):
        fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert server.gaps == [2.0, 2.0, 2.0, 4.0]  # the pause, then 1, 2 and 4, never below it
    assert server.paths == ["/robots.txt"] + ["/1.txt"] * 4


@pytest.mark.parametrize("code", [429, 503])
def test_too_long_a_wait_ends_the_run_and_the_next_run_keeps_to_it(
    server: Server, tmp_path: Path, code: int
) -> None:
    server.play("/1.txt", status(code, Retry_After="7200"))
    entries = [server.book("1.txt"), server.book("2.txt")]
    with pytest.raises(TransfersetError, match="run the same command again in 7200 s"):
        fetch(server, tmp_path, *entries)
    assert server.paths == ["/robots.txt", "/1.txt"]
    server.time.now += 100
    with pytest.raises(TransfersetError, match="again in 7100 s"):
        fetch(server, tmp_path, *entries)
    assert len(server.asked) == 2  # not asked early
    server.time.now = START + 7300
    server.acts.clear()
    assert all(fetch(server, tmp_path, *entries).files)


@pytest.mark.parametrize("code", [401, 403, 451])
def test_a_refusal_ends_the_run_and_nothing_more_is_asked(
    server: Server, tmp_path: Path, code: int
) -> None:
    entries = [server.book(f"{n}.txt") for n in range(5)]
    server.play("/1.txt", status(code, Retry_After="1"))
    with pytest.raises(TransfersetError, match=f"found {code}") as error:
        fetch(server, tmp_path, *entries)
    assert "nothing more is asked of this server" in str(error.value)
    assert str(error.value).count("\n") == 0
    assert server.paths == ["/robots.txt", "/0.txt", "/1.txt"]


def test_a_refusal_after_a_redirect_ends_the_host_that_refused(
    server: Server, tmp_path: Path
) -> None:
    with book_server(server.time) as other:
        other.play("/1.txt", status(403))
        server.play("/1.txt", redirect(f"{other.root}/1.txt"))
        entries = [Entry(f"{server.root}/1.txt"), other.book("2.txt")]
        with pytest.raises(TransfersetError, match="403"):
            fetch(server, tmp_path, *entries, also=(other.root,), manners=one_at_a_time())
        assert other.paths == ["/robots.txt", "/1.txt"]


def one_at_a_time() -> object:
    return type(FAST)(tries=4, connections=1)


@pytest.mark.parametrize("code", [400, 406, 418, 501])
def test_another_status_is_a_book_that_cannot_be_had(
    server: Server, tmp_path: Path, code: int
) -> None:
    server.play("/1.txt", status(code))
    got = fetch(server, tmp_path, server.book("1.txt"), server.book("2.txt"))
    assert got.unavailable[0].reason.startswith(str(code))
    assert got.files[1] is not None
    assert server.count("/1.txt") == 1


def test_a_server_error_of_one_book_does_not_stop_the_others(
    server: Server, tmp_path: Path
) -> None:
    entries = [server.book(f"{n}.txt") for n in range(4)]
    for n in (0, 2):  # not in a row
        server.play(f"/{n}.txt", status(500))
    got = fetch(server, tmp_path, *entries)
    assert [book is not None for book in got.files] == [False, True, False, True]
    assert server.count("/0.txt") == 4


@pytest.mark.parametrize(
    "location", ["ftp://a.example/1", "file:///etc/passwd", "http://10.0.0.1/"]
)
def test_a_redirect_out_of_bounds_is_not_followed(
    server: Server, tmp_path: Path, location: str
) -> None:
    server.play("/1.txt", redirect(location))
    got = fetch(server, tmp_path, Entry(f"{server.root}/1.txt"), server.book("2.txt"))
    assert got.unavailable[0].reason.startswith("a redirect to ")
    assert got.files[1] is not None
    assert server.paths == ["/robots.txt", "/1.txt", "/2.txt"]


def test_a_redirect_to_a_loopback_server_that_nobody_named(server: Server, tmp_path: Path) -> None:
    with book_server(server.time) as inside:
        server.play("/1.txt", redirect(inside.book("1.txt").url))
        got = fetch(server, tmp_path, Entry(f"{server.root}/1.txt"))
        assert "instead of a public address" in reason(got)
        assert inside.asked == []  # not even its rules


def test_a_redirect_out_of_bounds_of_a_book_with_a_digest_ends_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.play("/1.txt", redirect("http://10.0.0.1/"))
    entry = Entry(f"{server.root}/1.txt", sha256="0" * 64)
    assert fetch(server, tmp_path, entry, server.book("2.txt")).files[1] is not None


def test_a_loop_of_redirects_ends(server: Server, tmp_path: Path) -> None:
    server.play("/1.txt", redirect("/1.txt"))
    assert reason(fetch(server, tmp_path, Entry(f"{server.root}/1.txt"))) == (
        "more than 5 redirects"
    )
    assert server.count("/1.txt") == 6
    assert server.gaps == [FAST.pause] * 6


def test_a_private_address_that_nobody_named_is_a_wrong_call(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="a public address"):
        fetch(server, tmp_path, server.book("1.txt"), named=())
    assert server.asked == []


def far_away(
    folder: Path, answer: Callable[[httpx.Request], httpx.Response], url: str
) -> tuple[Fetched, list[str]]:
    """Fetch a book over a fake network of public hosts."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        made = answer(request)
        return httpx.Response(made.status_code, headers=made.headers, stream=made.stream)

    time = Time()
    got = fetch_books(
        [Entry(url)],
        folder,
        contact=ME,
        manners=FAST,
        transport=httpx.MockTransport(handle),
        sleep=time.sleep,
        clock=time.clock,
        lookup=lambda host: ["192.168.0.9" if host == "inside.example" else "93.184.216.34"],
    )
    return got, asked


class Body(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield BOOK


def going_to(location: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/robots.txt":
            return httpx.Response(404, stream=Body())
        if str(request.url) == "https://a.example/1.txt":
            return httpx.Response(302, headers={"location": location}, stream=Body())
        return httpx.Response(200, stream=Body())

    return answer


@pytest.mark.parametrize("location", ["http://a.example/1.txt", "https://inside.example/1.txt"])
def test_a_redirect_down_to_http_or_into_a_private_net(tmp_path: Path, location: str) -> None:
    got, asked = far_away(tmp_path, going_to(location), "https://a.example/1.txt")
    assert reason(got).startswith(f"a redirect to {location} instead of")
    assert asked == ["https://a.example/robots.txt", "https://a.example/1.txt"]


def test_a_redirect_to_another_public_host_asks_for_its_rules_first(tmp_path: Path) -> None:
    got, asked = far_away(tmp_path, going_to("https://b.example/x"), "https://a.example/1.txt")
    assert got.files[0] is not None
    assert asked == [
        "https://a.example/robots.txt",
        "https://a.example/1.txt",
        "https://b.example/robots.txt",
        "https://b.example/x",
    ]


def test_an_encoding_that_was_not_asked_for(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        gone = request.url.path == "/robots.txt"
        return httpx.Response(
            404 if gone else 200, headers={"content-encoding": "gzip"}, stream=Body()
        )

    got, _ = far_away(tmp_path, answer, "https://a.example/1.txt")
    assert reason(got) == "Content-Encoding gzip"


def test_a_host_that_does_not_exist_ends_the_run_at_once(tmp_path: Path) -> None:
    def unknown(_: str) -> list[str]:
        raise OSError("Name or service not known")

    time = Time()
    with pytest.raises(TransfersetError, match="no address for the host"):
        fetch_books(
            [Entry("https://nowhere.example/1.txt")],
            tmp_path,
            contact=ME,
            lookup=unknown,
            sleep=time.sleep,
            clock=time.clock,
        )
    assert time.waits == []


def test_an_address_of_another_scheme_is_a_wrong_call(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="an http or https address"):
        fetch(server, tmp_path, Entry("ftp://a.example/1.txt"))
