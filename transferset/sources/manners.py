"""How a server is to be treated: who we say we are, how often we ask, when we stop."""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

import transferset
from transferset.errors import InputError, TransfersetError, UsageError, sentence


@dataclass(frozen=True, slots=True)
class Manners:
    """How hard a server may be asked.

    Args:
        connections: Open connections at a time, all hosts together (1 to 2).
        tries: Attempts without progress before giving up.
        pause: Seconds between the starts of two requests.
        first_wait: Seconds before the second attempt; doubled for each further one.
        longest_wait: Cap of that doubling, in seconds.
        longest_asked_wait: A server that asks (`Retry-After`) for more seconds than this
            is left alone: the run ends and says when to come back.
        connect_timeout: Seconds to connect.
        read_timeout: Seconds without a byte before a connection counts as dead.
    """

    connections: int = 2
    tries: int = 6
    pause: float = 0.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_asked_wait: float = 600.0
    connect_timeout: float = 15.0
    read_timeout: float = 60.0

    def backoff(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row; the same every time."""
        return float(min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1)))


class Later(Exception):
    """Internal: this attempt failed, a later one may not. Never leaves `Web.patiently`.

    Args:
        reason: What happened, for the message if it is the last attempt.
        seconds: What the server asked for, if it did.
        unreached: No server answered at all.
        status: The status that it answered, if it did.
    """

    def __init__(
        self,
        reason: str,
        seconds: float | None = None,
        unreached: bool = False,
        status: int | None = None,
    ):
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.unreached = unreached
        self.status = status
        self.progressed = False


class Told(TransfersetError):
    """What a server told us for good, so that who asks for many files can decide what it means.

    Args:
        message: The whole sentence.
        reason: What was found, in a few words.
        status: The status that came last, if one did.
        url: The address that answered, where that matters.
    """

    def __init__(self, message: str, reason: str, status: int | None = None, url: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.url = url


class Refused(Told):
    """401, 403 or 451."""


class Exhausted(Told):
    """Nothing good came in the tries allowed."""


class Unreached(Exhausted):
    """No server answered at all."""


class AskedToWait(Told):
    """A server wants us to wait for longer than we are ready to."""


class Unexpected(Told):
    """A status that nobody asked for."""


class Absent(Told, InputError):
    """404 or 410."""


class BadAnswer(Told, InputError):
    """A redirect out of bounds, too many bytes, an encoding that was not asked for."""


class OtherSize(BadAnswer):
    """Another size than the one stated."""


def user_agent(contact: str | None) -> str:
    """`transferset/VERSION (+contact)`: who asks, and whom to write to.

    Raises:
        UsageError: The contact is not an e-mail or web address in plain ASCII.
    """
    program = f"transferset/{transferset.__version__}"
    if contact is None:
        return f"{program} httpx/{httpx.__version__}"
    plain = contact.isascii() and contact.isprintable() and len(contact) <= 200
    if not plain or not ("@" in contact or "://" in contact) or set(contact) & set("() "):
        do = "write --contact you@example.org"
        raise UsageError(sentence("an e-mail or web address as contact", contact, do=do))
    return f"{program} (+{contact})"


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3).

    Args:
        value: The header, or None.

    Returns:
        Seconds from now, at least 0; None when it says nothing.
    """
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(min(int(value.strip()[:9]), 10**9))
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
