"""What the status of an answer means: to be used, to be tried later, or an end."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import httpx

from transferset.errors import printable, sentence
from transferset.sources.manners import BadAnswer, Later, Refused, Unexpected, retry_after

#: What callers decide upon unless they say otherwise.
ANSWERS = frozenset({200, 404, 410})
_RANGE_ANSWERS = {206, 416}  # if they asked for a range,
_CONDITIONAL = {"If-None-Match", "If-Modified-Since"}  # and 304, if they asked for that
_LATER = {408, 425, 429, 500, 502, 503, 504}
_REFUSALS = {401, 403, 451}
#: Some servers label a stored .bz2 this way; its raw bytes are the file.
_AS_STORED = {"", "identity", "bzip2", "x-bzip2"}


def allowed(answers: Collection[int], headers: Mapping[str, str]) -> set[int]:
    """Statuses that answer a request with these headers."""
    more = _RANGE_ANSWERS if "Range" in headers else set()
    return set(answers) | more | ({304} if _CONDITIONAL & set(headers) else set())


def judged(response: httpx.Response, expected: set[int]) -> httpx.Response:
    """Return an answer whose status and encoding were asked for.

    Args:
        response: Its body is not yet read.
        expected: Statuses that the caller decides upon.

    Raises:
        Later: The status says that it may work later.
        Refused: We may not.
        Unexpected: Any other status.
        BadAnswer: An encoding that was not asked for.
    """
    status = response.status_code
    if status not in expected:
        raise _unwanted(response)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if status in (200, 206) and encoding not in _AS_STORED:
        do, found = "name another --mirror", f"Content-Encoding {encoding}"
        message = sentence("bytes as stored", found, str(response.url), do)
        raise BadAnswer(message, printable(found, 60))
    return response


def _unwanted(response: httpx.Response) -> Exception:
    status, url = response.status_code, str(response.url)
    found = f"{status} {response.reason_phrase}".strip()
    if status in _LATER:
        return Later(found, retry_after(response.headers.get("retry-after")), status=status)
    if status in _REFUSALS:
        do = "do not repeat it; say who you are with --contact, or name another --mirror"
        return Refused(sentence("to be allowed to read", found, url, do), found, status, url)
    message = sentence("status 200", found, url, "name another --mirror")
    return Unexpected(message, found, status)
