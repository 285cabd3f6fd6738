"""robots.txt (RFC 9309): what a host lets programs read, and how fast; no way leads around it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from protego import Protego

from transferset.sources.cache import on_disk, write_atomically

#: The name that rules are looked up by. Not the whole User-Agent: a contact in it could
#: happen to hold the name of another program that has friendlier rules.
PRODUCT: Final = "transferset"

_AGENT = re.compile(r"\s*user(?:-|\s+)?agent\s*[:\s]\s*(.*)", re.IGNORECASE)
_FORBIDDING = (401, 403, 451)
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|\?xml)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Rules:
    """What the robots.txt of one origin said.

    Args:
        origin: Scheme, host and port it holds for, as an address.
        retrieved: When it was asked for, seconds since 1970.
        status: Status of the answer: 200, or 4xx.
        text: Its text; empty unless the status is 200.
    """

    origin: str
    retrieved: float
    status: int
    text: str = ""

    @cached_property
    def _parsed(self) -> Protego:
        return Protego.parse(_fewer_agents(self.text))

    def denial(self, url: str) -> str | None:
        """Why an address may not be read; None if it may."""
        if self.status in _FORBIDDING:
            return f"robots.txt of {self.origin} answers {self.status}: nothing may be read"
        if self.status == 200 and not self._parsed.can_fetch(url, PRODUCT):
            return f"robots.txt of {self.origin} disallows it"
        return None

    @property
    def pause(self) -> float:
        """Seconds that it wants between two requests; the longer of its two ways to say so."""
        if self.status != 200:
            return 0.0
        rate = self._parsed.request_rate(PRODUCT)
        slowest = rate.seconds / rate.requests if rate is not None else 0.0
        return max(float(self._parsed.crawl_delay(PRODUCT) or 0.0), slowest)

    def save(self, folder: Path) -> None:
        """Keep it for later runs."""
        with on_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_atomically(_place(folder, self.origin), json.dumps(asdict(self), indent=1) + "\n")


def read_rules(folder: Path, origin: str, now: float, memory: float) -> Rules | None:
    """Rules kept by an earlier run.

    Args:
        folder: Where they are kept.
        origin: Whose rules.
        now: Seconds since 1970.
        memory: Seconds for which they are believed.

    Returns:
        The rules, or None when there are none that can be believed.
    """
    try:
        rules = Rules(**json.loads(_place(folder, origin).read_text(encoding="utf-8")))
        age = now - rules.retrieved
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    known = isinstance(rules.status, int) and isinstance(rules.text, str)
    return rules if known and rules.origin == origin and 0 <= age < memory else None


def decoded(body: bytes, complete: bool) -> str:
    """The text of a robots.txt.

    Args:
        body: Its bytes, or the first of them.
        complete: Whether these are all; else the line that was cut is left out, which might
            read as another rule.
    """
    whole = body if complete else body[: body.rfind(b"\n") + 1]
    return whole.decode("utf-8-sig", "replace")


def is_page(text: str) -> bool:
    """Whether an HTML document came in the place of rules: throttled, or a consent page."""
    return _PAGE.match(text[:1000]) is not None


def _place(folder: Path, origin: str) -> Path:
    host = re.sub(r"[^a-z0-9.-]+", "_", origin.partition("://")[2])[:80]
    return folder / f"{host}-{hashlib.sha256(origin.encode()).hexdigest()[:8]}.json"


def _fewer_agents(text: str) -> str:
    # Protego keeps every rule once for every name of its group: 500 KB of names and rules
    # would take minutes and gigabytes. Names that are not ours become one name.
    return "\n".join(map(_own_agent, text.splitlines()))


def _own_agent(line: str) -> str:
    line = line.partition("#")[0]
    match = _AGENT.match(line)
    if match is None:
        return line
    name = match[1].strip().lower()
    if name == "*":
        return "User-agent: *"
    # The token as a whole (RFC 9309, 2.2.1), where Protego would also take a beginning of
    # it; and of "transferset/1.0" its owner means us.
    ours = name.partition("/")[0].replace("*", "").strip() == PRODUCT
    return f"User-agent: {PRODUCT if ours else '-'}" if name else line
