"""Rasa's training data: intents in markdown and YAML, annotations, what is no example."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from making_tasks import read, rows, write

from transferset.errors import InputError, UsageError
from transferset.sources.tasks import Example
from transferset.sources.tasks.rasa import plain

MARKDOWN = """\
<!-- written by hand
## intent:none
-->
# Greetings
## intent:greet
- hey <!-- short --> you
* hello
 + good [morning](time:early)

##intent: faq/ask_hours
- when do you open in [NYC]{"entity": "city", "value": "New York"}?
## synonym:NYC
- big apple
- new york
## regex:zip
- [0-9]{5}
## lookup:streets
streets.txt
- Main Street
## intent:greet
- hi
"""

YAML = """\
version: "3.1"
# comment
nlu:
- intent: greet   # comment
  examples: |
    - hey   you
    - good [morning](time)

    -  # 5 things
- intent: 'faq/it''s'
  metadata:
    sentiment: neutral
  examples: |-
      - when: now?
- synonym: NYC
  examples: |
    - big apple
- lookup: streets
  examples: |
    - Main Street
    - High Street
- intent: "bye"
  examples:
  - text: |
      so long
    metadata:
      sentiment: sad
  - text: "see\\tyou"
  - text: till then
    metadata: x
- intent: after
  metadata: [a, {b: c}]
  examples: |
    - end
stories:
- story: greeting
  steps:
  - intent: greet
responses:
  utter_greet:
  - text: |
      - no example
"""


def test_markdown(tmp_path: Path) -> None:
    found = read(write(tmp_path / "nlu.md", MARKDOWN))
    assert found.examples == [
        Example(6, "hey  you", None, "greet"),
        Example(7, "hello", None, "greet"),
        Example(8, "good morning", None, "greet"),
        Example(11, "when do you open in NYC?", None, "faq/ask_hours"),
        Example(21, "hi", None, "greet"),
    ]
    assert found.others == {"synonym": 2, "regex": 1, "lookup": 2}
    assert (found.kind.names, found.kind.counts) == (("faq/ask_hours", "greet"), (1, 4))


def test_yaml(tmp_path: Path) -> None:
    found = read(write(tmp_path / "nlu.yml", YAML))
    assert [(e.row, e.text, e.label) for e in found.examples] == [
        (6, "hey   you", "greet"),
        (7, "good morning", "greet"),
        (9, "# 5 things", "greet"),
        (14, "when: now?", "faq/it's"),
        (25, "so long", "bye"),
        (28, "see\tyou", "bye"),
        (29, "till then", "bye"),
        (34, "end", "after"),
    ]
    assert found.others == {"synonym": 1, "lookup": 2}


def test_windows_line_ends(tmp_path: Path) -> None:
    for name, text in (("a.md", MARKDOWN), ("a.yml", YAML)):
        plain = rows(write(tmp_path / name, text))
        assert rows(write(tmp_path / name, text.replace("\n", "\r\n"))) == plain


@pytest.mark.parametrize(
    ("written", "strip", "placeholder"),
    [
        ("to [Berlin](city)!", "to Berlin!", "to __CITY__!"),
        ("[Berlin](city:capital)", "Berlin", "__CITY__"),
        ('[NYC]{"entity": "city", "value": "New York"}', "NYC", "__CITY__"),
        ('[a]{"entity": "home-town", "role": "to"} [b](x)', "a b", "__HOME_TOWN__ __X__"),
        ('[a][{"entity": "x"}, {"entity": "y"}]', "a", "__X__"),
        ("[a [b](c) d", "[a b d", "[a __C__ d"),
        ("[a] (b) [c] [](d)", "[a] (b) [c] [](d)", "[a] (b) [c] [](d)"),
        ("a[0](i)", "a0", "a__I__"),
    ],
)
def test_annotations(written: str, strip: str, placeholder: str) -> None:
    assert plain(written, "strip") == strip
    assert plain(written, "placeholder") == placeholder


def test_placeholders_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", "## intent:a\n- to [Berlin](city)\n")
    assert rows(path, entities="placeholder") == [("to __CITY__", "a")]


@pytest.mark.parametrize("json", ['{"value": 1}', '{"entity": 7}', "{entity: x}", '[{"x": "y"}]'])
def test_an_annotation_that_cannot_be_read(tmp_path: Path, json: str) -> None:
    good = "- x\n- y\n"
    path = write(tmp_path / "a.md", f"## intent:a\n- to [Berlin]{json}\n{good}")
    with pytest.raises(InputError, match=r"annotation like .*, found \[Berlin\].* at .*line 2"):
        read(path)
    assert len(rows(path, skip_damaged=True)) == 2


@pytest.mark.parametrize("start", ["[", "[a", "[a](", "[a](b:", "[a]{", "[a][{", "<!--", "<!---->"])
def test_brackets_that_nothing_closes_cost_by_their_number(start: str) -> None:
    text = start * (200_000 // len(start))
    began = time.process_time()
    assert plain(text, "strip") == text
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("## intents:a\n- x\n", r"## intent:NAME, .*, found ## intents:a at .*line 1"),
        ("## intent:a\n- x\n## intent b\n- y\n", r"found ## intent b at .*line 3"),
        ("## intent:a\n- x\n## intent:\n- y\n", r"found ## intent: at .*line 3"),
        ("- x\n## intent:a\n- y\n- z\n", r"a heading ## intent:NAME first, found - x at .*line 1"),
        ("## intent:a\n- x\ny\n- z\n", r"an example that begins with -, found y at .*line 3"),
        ("## intent:a\n-\n- x\n- z\n", r"a text, found an empty one at .*line 2"),
        (
            "## intent:a\n- x\n<!-- y\n- z\n",
            r"a comment that ends in -->, found no end at .*line 3",
        ),
    ],
)
def test_markdown_that_rasa_would_pass_over(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "a.md", content))


def nlu(*items: str) -> str:
    return "nlu:\n" + "\n".join(items) + "\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nlu("- intent: &a greet", "  examples: |", "    - x"), r"found &a greet at .*line 2"),
        (nlu("- intent: *a"), r"found \*a at .*line 2"),
        (nlu("- intent: !!python/object:os.system x"), r"one line, found !!python.* at .*line 2"),
        (nlu("- {intent: greet}"), r"a member like intent: NAME, found \{intent: greet\}"),
        (nlu("- intent: a", "  examples: >", "    - x"), r"examples: \|, found examples: > at "),
        (nlu("- intent: a", "  examples: [x, y]"), r"examples: \|, found"),
        (nlu("- intent: a", "  intent: b"), r"one intent an item, found intent: b at .*line 3"),
        (nlu("- intnt: a", "  examples: |", "    - x"), r"the intent before its .*line 3"),
        (nlu("- intent: a", "\texamples: |"), r"spaces before the line, found a tab at .*line 3"),
        (nlu("- intent: a", "  examples: |", "    - x", "   - y"), r"column 5, as the lines"),
        (nlu("  intent: a"), r"an item like - intent: NAME, found intent: a"),
        (nlu("- intent: 'a"), r"a name or text on one line, found 'a"),
        (nlu("- intent:"), r"a name or text on one line, found nothing"),
        (nlu("- intent: a", "  examples:", "  - x"), r"a member like intent: NAME, found x"),
        (nlu("- intent: a", "  examples:", "  - text: |", "     x", "     y"), r"line, found y"),
        ("nlu: x\n", r"items below nlu:, found x at .*line 1"),
        ("- intent: a\n", None),
        ("%YAML 1.1\n", r"a member like nlu:, found %YAML 1.1"),
        (nlu("- intent: a", "- intent: b", " - intent: c"), r"an item at column 1, found - intent"),
    ],
)  # fmt: skip
def test_more_of_yaml_is_refused(tmp_path: Path, content: str, message: str | None) -> None:
    path = write(tmp_path / "a.yml", content)
    if message is None:  # a list that is no part of the file's `nlu:`
        assert rows(path) == []
        return
    with pytest.raises(InputError, match=message) as error:
        read(path, skip_damaged=True)
    assert "Rasa's manual" in str(error.value)


def test_a_line_of_a_block_that_is_no_example(tmp_path: Path) -> None:
    content = nlu("- intent: a", "  examples: |", "    - x", "    # y", "    - z")
    path = write(tmp_path / "a.yaml", content)
    with pytest.raises(InputError, match=r"an example that begins with -, found # y at .*line 5"):
        read(path)
    assert rows(path, skip_damaged=True) == [("x", "a"), ("z", "a")]


def test_columns_have_no_place_here(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", MARKDOWN)
    with pytest.raises(UsageError, match=r"no columns of Rasa's files, found --text x"):
        read(path, text="x")


def test_a_folder_of_markdown(tmp_path: Path) -> None:
    write(tmp_path / "b.md", "## intent:b\n- x\n")
    write(tmp_path / "a.md", "## intent:a\n- y\n")
    write(tmp_path / "notes.tsv", "x\ty\n")
    from transferset.sources.tasks import TaskOptions, label_names, open_tasks

    options = TaskOptions(layout="rasa")
    files = open_tasks([str(tmp_path)], options)
    assert [file.name for file in files] == ["a.md", "b.md"]
    assert label_names(files, options).names == ("a", "b")


word = st.text("abc#:'\"-[]{}&*|>%@ é", min_size=1, max_size=12).map(str.strip).filter(bool)
intents = st.dictionaries(st.text("abc/_", min_size=1, max_size=5), st.lists(word, min_size=1))


@settings(max_examples=40, deadline=None)
@given(intents, st.sampled_from(["block", "list", "quoted"]), st.integers(1, 6))
def test_yaml_as_a_whole_reader_has_it(
    tmp_path_factory: pytest.TempPathFactory, made: dict[str, list[str]], form: str, indent: int
) -> None:
    lines, pad = ["nlu:"], " " * indent
    for intent, examples in made.items():
        lines += [f"- intent: '{intent}'", "  examples: |" if form == "block" else "  examples:"]
        for text in examples:
            if form == "block":
                lines.append(f"  {pad}- {text}")
            elif form == "list":
                lines += ["  - text: |", f"     {pad}{text}"]
            else:
                lines.append("  - text: '" + text.replace("'", "''") + "'")
    content = "\n".join(lines) + "\n"
    wanted: list[tuple[Any, ...]] = []
    for item in yaml.safe_load(content)["nlu"] or []:
        if form == "block":
            texts = [line[1:].strip() for line in item["examples"].splitlines()]
        else:
            texts = [entry["text"].strip() for entry in item["examples"]]
        wanted += [(plain_or_none(text), item["intent"]) for text in texts]
    path = write(tmp_path_factory.getbasetemp() / "made.yml", content)
    if any(text is None for text, _ in wanted):
        return
    assert rows(path) == wanted


def plain_or_none(text: str) -> str | None:
    try:
        return plain(text, "strip")
    except ValueError:
        return None
