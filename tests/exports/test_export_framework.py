"""What holds for every format: same bytes, resuming, nothing lost, nothing believed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from export_sets import files_of, make_splits, make_task_set
from label_sets import make_labelled

import transferset
from transferset.cli import transferset as command
from transferset.exported import EXPORT, ExportRecord
from transferset.exports import texts
from transferset.exports.cutting import left_out, pieces
from transferset.exports.protocol import HOMES, Options, format_of
from transferset.files import digest_file
from transferset.holding import EXPORT_FILES
from transferset.manifest import canonical, digest_json, pretty

HERE = Path(__file__).parent


def small_pieces(found, each=0):
    """As of a set of gigabytes: several parts of one file."""
    bounds = [0, 10, 11, 30, len(found)] if len(found) > 30 else [0, len(found)]
    return list(pairwise(bounds))


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return make_task_set(tmp_path_factory.mktemp("sets") / "task")


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return make_splits(tmp_path_factory.mktemp("sets") / "both")


@pytest.mark.parametrize(
    ("to", "options"),
    # a format of files by task, one of joined parts: the others share their code
    [("hf", {"shards": 4}), ("jsonl", {})],
)
def test_one_and_three_workers_give_the_same_bytes(to, options, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "pieces", small_pieces)
    for workers in (1, 3):
        out = tmp_path / str(workers)
        found = transferset.export(splits, out, to=to, workers=workers, **options)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "3")
    assert len(found.record.recipe) == 64
    assert not (tmp_path / "1" / "_run" / "parts").exists()


def test_files_joined_of_parts_are_those_of_one_part(task, tmp_path, monkeypatch):
    whole = transferset.export(task.root, tmp_path / "whole", to="jsonl")
    monkeypatch.setattr(texts, "pieces", small_pieces)
    parts = transferset.export(task.root, tmp_path / "parts", to="jsonl")
    assert files_of(whole.root) == files_of(parts.root)


def test_shards_of_the_set_make_no_difference_to_arrow_files(task, tmp_path):
    other = make_task_set(tmp_path / "other", shards=[1, 50])
    first = transferset.export(task.root, tmp_path / "a", to="arrow-file").record
    second = transferset.export(other.root, tmp_path / "b", to="arrow-file").record
    assert first.files == second.files
    assert first.parts[0]["digests"] == second.parts[0]["digests"]


def test_digests_are_the_same_in_every_format(task, tmp_path):
    digests = [
        transferset.export(task.root, tmp_path / to, to=to).record.parts[0]["digests"]
        for to in ("hf", "parquet", "arrow-file", "jsonl", "tsv")
    ]
    for found in digests:
        assert found.items() <= digests[0].items()
    assert digests[-1].keys() == {"text", "label"}


DYING = """
import sys
from pathlib import Path
sys.path[:0] = {folders!r}
from export_sets import Dying
from transferset.exports import joining, texts
from test_export_framework import small_pieces
from transferset.api.exporting import plan_export
from transferset.pipeline.export.passes import export
from transferset.stage import Quiet
texts.pieces = small_pieces
if {join}:
    import os, signal
    texts.join = lambda root, file, *rest, **more: (
        (root / (file + f".tmp-{{os.getpid()}}")).write_bytes(b"half"),
        os.kill(os.getpid(), signal.SIGKILL),
    )
plan = plan_export({src!r}, to={to!r}, **{options!r})
export(plan, Path({out!r}), Dying(99 if {join} else 2), Quiet(), force=False)
"""


@pytest.mark.parametrize(
    ("to", "options", "join"),
    [("jsonl", {}, False), ("jsonl", {}, True), ("parquet", {"shards": 5}, False)],
)
def test_killed_and_run_again_it_is_what_it_would_have_been(
    to, options, join, task, tmp_path, monkeypatch
):
    monkeypatch.setattr(texts, "pieces", small_pieces)
    unbroken = transferset.export(task.root, tmp_path / "unbroken", to=to, **options)
    out = tmp_path / "out"
    script = DYING.format(
        folders=[str(HERE), str(HERE.parent)], src=str(task.root), to=to, options=options,
        out=str(out), join=join,
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (out / EXPORT).exists()
    with pytest.raises(transferset.SetError, match="an unfinished one"):
        transferset.verify_export(out)
    told = Told()
    transferset.export(task.root, out, to=to, progress=told, **options)
    tasks = 4 if to == "jsonl" else 5
    assert told.resumed_with == [f"with {tasks if join else 2} of {tasks} tasks of rows done"]
    assert files_of(out) == files_of(unbroken.root)


class Told:
    """A progress that keeps what it is told of earlier runs."""

    def __init__(self):
        self.resumed_with = []

    def download(self, name, received, total): ...

    def start(self, stage, total, unit): ...

    def advance(self, amount, rows): ...

    def resumed(self, what):
        self.resumed_with.append(what)


def test_what_is_there_is_kept_and_another_recipe_is_refused(task, tmp_path):
    out = tmp_path / "out"
    transferset.export(task.root, out, to="jsonl")
    before = (out / EXPORT).stat().st_mtime_ns
    told = Told()
    transferset.export(task.root, out, to="jsonl", progress=told)
    assert told.resumed_with == ["all"]
    assert (out / EXPORT).stat().st_mtime_ns == before
    with pytest.raises(transferset.SetError, match=r"to was .jsonl., is .parquet."):
        transferset.export(task.root, out, to="parquet")
    transferset.export(task.root, out, to="parquet", force=True)
    assert sorted(p.name for p in out.iterdir()) == ["_run", EXPORT, "train"]


def test_force_removes_nothing_of_others(task, tmp_path):
    out = tmp_path / "out"
    transferset.export(task.root, out, to="parquet")
    (out / "train" / "mine.txt").write_text("mine")
    transferset.export(task.root, out, to="jsonl", force=True)
    assert (out / "train" / "mine.txt").read_text() == "mine"
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "train.jsonl").write_text("not of transferset")
    with pytest.raises(transferset.SetError, match="files that are not transferset's"):
        transferset.export(task.root, foreign, to="jsonl", force=True)


def test_a_set_is_not_made_into_an_export_nor_an_export_into_a_set(task, tmp_path):
    before = files_of(task.root)
    with pytest.raises(transferset.UsageError, match=r"is .*task, which is read"):
        transferset.export(task.root, task.root, to="jsonl", force=True)
    with pytest.raises(transferset.UsageError, match="lies inside"):
        transferset.export(task.root, task.root / "inner", to="jsonl")
    assert files_of(task.root) == before
    other = make_task_set(tmp_path / "other")
    with pytest.raises(transferset.SetError, match="no set there"):
        transferset.export(task.root, other.root, to="jsonl", force=True)
    out = transferset.export(task.root, tmp_path / "out", to="jsonl").root
    with pytest.raises(transferset.SetError, match="no export there"):
        transferset.derive(other.root, out, steps=[transferset.Sample(5)], force=True)
    with pytest.raises(transferset.SetError, match="found an export"):
        transferset.open(out)


@pytest.mark.parametrize(
    ("to", "options", "message"),
    [
        ("nothing", {}, "--to hf, parquet"),
        ("jsonl", {"shards": 2}, "no --shards with --to jsonl"),
        ("parquet", {"escape": True}, "no --escape"),
        ("parquet", {"shards": 0}, "--shards from 1 to 57"),
        ("parquet", {"shards": 58}, "--shards from 1 to 57"),
        ("parquet", {"compression": "lz4"}, "--compression zstd, snappy, none"),
        ("arrow-file", {"compression": "snappy"}, "--compression none, zstd, lz4"),
        ("jsonl", {"columns": "text,nothing"}, "--columns out of input_ids, text"),
        ("jsonl", {"columns": "text,"}, "--columns with names"),
        ("tsv", {"columns": "text,logits"}, "one text or number"),
        ("jsonl", {"workers": 0}, "--workers of at least 1"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(to, options, message, task, tmp_path):
    with pytest.raises(transferset.UsageError, match=message):
        transferset.export(task.root, tmp_path / "out", to=to, **options)
    assert not (tmp_path / "out").exists()


def test_a_damaged_set_gives_no_export(tmp_path):
    found = make_task_set(tmp_path / "set")
    shard = found.root / found.manifest.shards[1].file
    raw = bytearray(shard.read_bytes())
    raw[len(raw) // 2] ^= 1
    shard.write_bytes(bytes(raw))
    with pytest.raises(transferset.SetError, match="bytes as written"):
        transferset.export(found.root, tmp_path / "out", to="jsonl")
    assert not (tmp_path / "out" / EXPORT).exists()


def test_a_set_without_texts_and_tokenizer_is_no_text(tmp_path):
    found = make_labelled(tmp_path / "set", {"input_ids": [[2, 7, 3]]}, tokenizer=None)
    with pytest.raises(transferset.UsageError, match="texts, or ids with their tokenizer"):
        transferset.export(found.root, tmp_path / "out", to="tsv")


def test_splits_with_names_that_are_paths_are_refused(splits, tmp_path):
    for names in (["../both/train"], [".."], ["a b"], [7], [], "train", {}):
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        (folder / "dataset_dict.json").write_text(json.dumps({"splits": names}))
        with pytest.raises(transferset.InputError, match=r"splits"):
            transferset.export(folder, tmp_path / "out", to="jsonl")
    (folder / "dataset_dict.json").write_text("[" * 100_000)
    with pytest.raises(transferset.InputError, match="names of splits in JSON"):
        transferset.export(folder, tmp_path / "out", to="jsonl")


def test_splits_that_the_hub_cannot_hold_as_one_are_refused(tmp_path):
    make_task_set(tmp_path / "both" / "train")
    make_labelled(tmp_path / "both" / "test", {"input_ids": [[2, 7, 3]], "text": ["seven"]})
    (tmp_path / "both" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(transferset.UsageError, match="all splits have with --columns"):
        transferset.export(tmp_path / "both", tmp_path / "out", to="hf")
    found = transferset.export(tmp_path / "both", tmp_path / "out", to="hf", columns="text")
    transferset.verify_export(found.root)


def test_splits_of_two_tokenizers_are_refused(tmp_path):
    tokenizer = {**make_task_set(tmp_path / "both" / "train").manifest.tokenizer, "name": "other"}
    make_task_set(tmp_path / "both" / "test", tokenizer=tokenizer)
    (tmp_path / "both" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(transferset.UsageError, match="splits of one tokenizer"):
        transferset.export(tmp_path / "both", tmp_path / "out", to="jsonl")


class TestVerify:
    def test_any_changed_byte_is_found(self, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="parquet", shards=3).root
        for path in sorted(root.glob("train/*")):
            raw = path.read_bytes()
            path.write_bytes(raw[:-9] + bytes([raw[-9] ^ 4]) + raw[-8:])
            with pytest.raises(transferset.SetError, match="bytes as written"):
                transferset.verify_export(root)
            path.write_bytes(raw[:-1])
            with pytest.raises(transferset.SetError, match=f"expected {len(raw):,} bytes"):
                transferset.verify_export(root)
            path.write_bytes(raw)
        transferset.verify_export(root)

    @pytest.mark.parametrize("change", ["value", "row", "order"])
    def test_files_that_agree_with_the_record_but_not_with_the_set_are_found(
        self, change, task, tmp_path
    ):
        root = transferset.export(task.root, tmp_path / "out", to="jsonl").root
        path = root / "train.jsonl"
        lines = path.read_bytes().split(b"\n")
        if change == "value":
            lines[0] = lines[0].replace(b"row 0", b"row 9")
        elif change == "row":
            del lines[5]
        else:
            lines[0], lines[1] = lines[1], lines[0]
        path.write_bytes(b"\n".join(lines))
        resign(root, {"bytes": path.stat().st_size, "blake3": digest_file(path)})
        expected = "57 rows, found 56" if change == "row" else "the set's (text|label)"
        with pytest.raises(transferset.SetError, match=expected):
            transferset.verify_export(root)

    @pytest.mark.parametrize(
        "members",
        [{"file": "../set.jsonl"}, {"file": "a/b/c"}, {"file": "/etc/passwd"}, {"file": "a/.."}],
    )
    def test_a_record_that_leads_elsewhere_is_refused(self, members, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="jsonl").root
        resign(root, members)
        with pytest.raises(transferset.SetError, match="plain name of a file"):
            transferset.verify_export(root)

    def test_hostile_records_are_refused_in_one_sentence(self, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="parquet").root
        raw = (root / EXPORT).read_bytes()
        body = json.loads(raw)
        body["to"] = "../../os"
        for wrong in (b"", b"[]", b"{}", b"[" * 10**5, raw[:-20], b"\xff", sign(body)):
            (root / EXPORT).write_bytes(wrong)
            with pytest.raises(transferset.TransfersetError, match=r"^expected [^\n]*$"):
                transferset.verify_export(root)
        for part in ({"columns": {"evil": "x"}}, {"split": "../.."}, {"split": "-"}):
            body = json.loads(raw)
            body["parts"][0] |= part
            (root / EXPORT).write_bytes(sign(body))
            with pytest.raises(transferset.TransfersetError, match=r"^expected [^\n]*$"):
                transferset.verify_export(root)

    def test_a_file_that_the_card_would_add_to_a_split_is_named(self, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="hf").root
        (root / "data" / "train-more.parquet").touch()
        with pytest.raises(transferset.SetError, match=r"train-more.parquet; remove it"):
            transferset.verify_export(root)

    def test_a_pipe_is_not_waited_for(self, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="jsonl").root
        (root / "train.jsonl").unlink()
        os.mkfifo(root / "train.jsonl")
        resign(root, {"bytes": 0})
        with pytest.raises(transferset.SetError, match="a plain file"):
            transferset.verify_export(root)

    def test_a_column_without_a_digest_is_not_taken_for_right(self, task, tmp_path):
        root = transferset.export(task.root, tmp_path / "out", to="jsonl").root
        body = json.loads((root / EXPORT).read_bytes())
        del body["parts"][0]["digests"]["label"]
        (root / EXPORT).write_bytes(sign(body))
        with pytest.raises(transferset.SetError, match="a digest of each column"):
            transferset.verify_export(root)


def resign(root: Path, members: dict[str, object]) -> None:
    """Change what the record says of its first file, and sign it anew."""
    body = json.loads((root / EXPORT).read_bytes())
    body["files"][0] |= members
    (root / EXPORT).write_bytes(sign(body))


def sign(body: dict[str, object]) -> bytes:
    body.pop("digest", None)
    return pretty({**body, "digest": digest_json(body)})


def test_the_record_says_what_it_is_of(splits, tmp_path):
    found = transferset.export(splits, tmp_path / "out", to="tsv", escape=True)
    record = ExportRecord.read(found.root)
    assert record == found.record
    assert record.params == {"escape": True}
    sets = [transferset.open(splits / name) for name in ("train", "validation")]
    assert [part["manifest"] for part in record.parts] == [one.manifest.digest for one in sets]
    assert [part["split"] for part in record.parts] == ["train", "validation"]
    assert record.rows == 68
    assert record.size == sum(entry.bytes for entry in record.files)
    assert record.licence == "CC0-1.0"
    assert "input_ids, logits" in record.left_out[0]
    assert "path" not in canonical(record.params).decode()


def test_every_format_is_complete_and_what_it_writes_can_be_removed():
    for name in HOMES:
        found = format_of(name)
        assert found.name == name
        assert set(found.takes) <= set(Options.__dataclass_fields__)
        assert set(found.own) <= set(EXPORT_FILES)


def test_tasks_begin_where_batches_do(tmp_path):
    rows = 25_000
    found = make_labelled(tmp_path / "set", {"text": ["x"] * rows})
    assert pieces(found, 1)[-1][1] == rows
    assert all(start % 10_000 == 0 for start, _ in pieces(found, 1))
    assert pieces(found) == [(0, rows)]


def test_a_table_of_documents_is_told_to_stay_behind(tmp_path):
    tables = {"documents.arrow": b"any"}
    found = make_labelled(tmp_path / "set", {"text": ["a"]}, tables=tables)
    assert "the table of documents" in left_out(found, ["text"], "parquet")[0]


class TestCommand:
    def test_a_recipe_exports_the_sets_that_it_makes(self, task, tmp_path):
        recipe = tmp_path / "recipe.toml"
        recipe.write_text(
            f"[set.few]\ncommand = 'derive'\nfrom = '{task.root}'\nsteps = [{{sample = 20}}]\n"
            "[export.lines]\ncommand = 'export'\nfrom = 'few'\nto = 'jsonl'\n"
            "columns = ['text', 'label']\n"
        )
        given = ["run", str(recipe), "--out", str(tmp_path / "out")]
        for state in ("made", "kept"):
            done = CliRunner().invoke(command, given)
            assert done.exit_code == 0, done.output
            assert f"{state} {tmp_path / 'out' / 'lines'}: 20 rows as jsonl" in done.output
        assert transferset.verify_export(tmp_path / "out" / "lines").record.rows == 20

    def test_it_tells_what_was_left_out(self, task, tmp_path):
        out = str(tmp_path / "out")
        done = CliRunner().invoke(command, ["export", str(task.root), "--to", "tsv", "--out", out])
        assert done.exit_code == 0, done.output
        assert "NOTE: input_ids, logits, words" in done.output
        assert "anew" not in done.output
        assert f"{out}: 57 rows as tsv" in done.output
        checked = CliRunner().invoke(command, ["verify", out])
        assert "right; 57 rows as tsv in 1 files, read by pyarrow.csv" in checked.output

    def test_a_plan_writes_nothing(self, task, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        given = ["export", str(task.root), "--to", "hf", "--columns", "text,label", "--dry-run"]
        done = CliRunner().invoke(command, given)
        plan = json.loads(done.output)
        assert plan["splits"]["train"]["columns"] == ["text", "label"]
        assert plan["left_out"][0].startswith("input_ids, logits")
        assert not list(tmp_path.iterdir())

    def test_it_goes_below_exports_by_itself(self, task, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        found = transferset.export(task.root, to="jsonl")
        assert found.root == Path("exports", "task-jsonl")
