"""The lines of plain torch that open a saved student, for the README of its directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from transferset.errors import printable
from transferset.students.config import (
    BiattentiveSizes,
    BilstmSizes,
    Config,
    Task,
    TransformerSizes,
    Vocabulary,
)
from transferset.students.modes import MULTICHANNEL, POOLED, STATIC
from transferset.students.word_vocabulary import WordVocabulary

#: The column of a set whose words a tagger has found.
WORDS_COLUMN: Final = "words"

_MOST_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """How the rows were read that a model was trained on.

    Attributes:
        column: Of a model of words: `text`, split at white space, or `words`, as a set has them.
        taggers: What made the words of such sets.
        ranges: Of each task the least and the greatest score, None of classes; or nothing.
    """

    column: str = "text"
    taggers: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float] | None, ...] = ()

    def says(self, number: int, task: Task) -> str:
        """What the logits of a task stand for, in words.

        Args:
            number: Of its head.
            task: What it is.
        """
        name, texts = printable(task.name, _MOST_NAME), ", of two texts" if task.pair else ""
        if task.classes is not None:
            return f"{name}: {printable(', '.join(task.classes), 1000)}{texts}"
        found = self.ranges[number] if number < len(self.ranges) else None
        scores = "" if found is None else f", {found[0]:g} to {found[1]:g} in training"
        return f"{name}: a score{scores}{texts}"

    @property
    def lists(self) -> bool:
        """Whether a model of words is given lists of them."""
        return self.column == WORDS_COLUMN

    def words_told(self) -> list[str]:
        """Paragraphs on what a model of words takes for words."""
        if not self.lists:
            return ["It reads words: what stands between white space.", ""]
        named = " and ".join(printable(one, _MOST_NAME) for one in self.taggers)
        made = f"of the tagger {named}" if named else "of the tagger of its sets"
        return [
            f"It reads words {made}, as the sets it was trained on have them in the column "
            "`words`. Splitting a text at white space gives others (`don't` for `do`, `n't`), so "
            "the lines take lists of words.",
            "",
        ]


def plain_lines(
    tasks: Sequence[Task], vocabulary: Vocabulary, words: WordVocabulary | None, read: ReadAs
) -> list[str]:
    """Python that opens a sequence classifier with transformers and prints logits.

    Args:
        tasks: One.
        vocabulary: The ids that it reads.
        words: What they mean; None if its vocabulary is `tokenizer.json`.
        read: How it reads.
    """
    more = "from transformers import AutoModelForSequenceClassification"
    weights = "from safetensors.torch import load_file"
    call = "print(model(torch.tensor([row]), token_type_ids=torch.tensor([types])).logits[0])"
    return [
        *(line for line in _imports(words=words is not None, more=more) if line != weights),
        *_vocabulary(words, read),
        'model = AutoModelForSequenceClassification.from_pretrained(".")',
        *_framed(vocabulary, _texts(tasks[0], words, read)),
        call,
    ]


def torch_lines(config: Config, words: WordVocabulary | None, read: ReadAs) -> list[str]:
    """Python that opens any other student with plain torch and prints the logits of each task.

    Args:
        config: Of the student, as saved.
        words: See `plain_lines`.
        read: How it reads.
    """
    sizes = config.encoder
    more = "from transformers import BertConfig, BertModel"
    lines = _imports(
        words=words is not None, more=more if isinstance(sizes, TransformerSizes) else ""
    )
    lines += ['w = load_file("model.safetensors")', *_vocabulary(words, read)]
    lines.append('linear = lambda x, name: x @ w[name + ".weight"].T + w[name + ".bias"]')
    if isinstance(sizes, BilstmSizes):
        lines += _bilstm(config, sizes)
    elif isinstance(sizes, BiattentiveSizes):
        lines += _biattentive(config, sizes)
    else:
        lines += _transformer(config, sizes)
    for number, task in enumerate(config.tasks):
        if len(config.tasks) > 1:
            lines.append(f"# {read.says(number, task)}")
        texts = _texts(task, words, read)
        lines += _features(config, texts)
        head = f"heads.{number}"
        hidden = "f" if config.head.hidden is None else f'linear(f, "{head}.layer").relu()'
        lines.append(f'print(linear({hidden}, "{head}.output"))')
    return lines


def _texts(task: Task, words: WordVocabulary | None, read: ReadAs) -> tuple[str, ...]:
    given = ('"a text"', '"another"')
    if words is not None and read.lists:
        given = ('["a", "text"]', '["another"]')
    return given[: 1 + task.pair]


def _imports(*, words: bool, more: str) -> list[str]:
    first = "import json, torch" if words else "import torch"
    lines = [first, "from safetensors.torch import load_file", more]
    if not words:
        lines.append("from tokenizers import Tokenizer")
    return [line for line in lines if line]


def _vocabulary(words: WordVocabulary | None, read: ReadAs) -> list[str]:
    if words is None:
        return [
            'tokenizer = Tokenizer.from_file("tokenizer.json")',
            "read = lambda text: tokenizer.encode(text, add_special_tokens=False).ids",
        ]
    # letter by letter, as Unicode's simple mapping is: `lower` looks at what stands beside a sigma
    lower = '"".join(c.lower()[0] for c in w)' if words.lowercase else "w"
    given, parts = ("words", "words if w") if read.lists else ("text", "text.split()")
    known = f'1 if "[MASK]" in w else ids.get({lower}, 1)'
    return [
        'ids = {word: i for i, word in enumerate(json.load(open("words.json"))["words"], 4)}',
        f"read = lambda {given}: [{known} for w in {parts}]",
    ]


def _embed(config: Config) -> str:
    channels = {STATIC: ["frozen"], MULTICHANNEL: ["frozen", "trained"]}
    names = channels.get(config.embeddings.channels, ["trained"])
    tables = ", ".join(f'w["encoder.embeddings.{name}.weight"]' for name in names)
    found = f"torch.cat([{tables}], 1)[read(text)]" if len(names) > 1 else f"{tables}[read(text)]"
    if config.embeddings.projection is not None:
        found = f'linear({found}, "encoder.embeddings.projection")'
    return f"embed = lambda text: {found}"


def _bilstm(config: Config, sizes: BilstmSizes) -> list[str]:
    shape = f"{config.embeddings.outputs}, {sizes.hidden}, {sizes.layers}"
    last = "lambda text: lstm(embed(text))[1][0][-2:].reshape(-1)"
    return [
        _embed(config),
        f"lstm = torch.nn.LSTM({shape}, bidirectional=True)",
        _load("lstm", "encoder.lstm."),
        f"last = {last}",
    ]


def _biattentive(config: Config, sizes: BiattentiveSizes) -> list[str]:
    context = "(c := (x @ y.T).softmax(1) @ y)"
    pools = "s.amax(0), s.mean(0), (s * linear(s, name).softmax(0)).sum(0)"
    return [
        _embed(config),
        f"encoder = torch.nn.LSTM({sizes.feed}, {sizes.hidden}, bidirectional=True)",
        f"integrator = torch.nn.LSTM({6 * sizes.hidden}, {sizes.hidden}, bidirectional=True)",
        _load("encoder", "encoder.encoder."),
        _load("integrator", "encoder.integrator."),
        'state = lambda text: encoder(linear(embed(text), "encoder.feed").relu())[0]',
        f"see = lambda x, y: integrator(torch.cat([x, x - {context}, x * c], 1))[0]",
        f"pool = lambda s, name: torch.cat([{pools}])",
    ]


def _transformer(config: Config, sizes: TransformerSizes) -> list[str]:
    given = {
        "vocab_size": config.vocabulary.size,
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.intermediate,
        "max_position_embeddings": sizes.positions,
    }
    members = ", ".join(f"{name}={value}" for name, value in given.items())
    pooled = sizes.reading == POOLED
    return [
        f"bert = BertModel(BertConfig({members}), add_pooling_layer={pooled}).eval()",
        _load("bert", "encoder.bert."),
    ]


def _features(config: Config, texts: Sequence[str]) -> list[str]:
    """What a head is given, of one text or two."""
    sizes = config.encoder
    if isinstance(sizes, BilstmSizes):
        if len(texts) == 1:
            return [f"f = last({texts[0]})"]
        both = f"a, b = last({texts[0]}), last({texts[1]})"
        return [both, "f = torch.cat([a, b, a * b, (a - b).abs()])"]
    if isinstance(sizes, BiattentiveSizes):
        pools = 'pool(see(x, y), "encoder.first"), pool(see(y, x), "encoder.second")'
        return [
            f"x, y = state({texts[0]}), state({texts[-1]})",
            f"f = torch.cat([{pools}])",
        ]
    call = "bert(torch.tensor([row]), token_type_ids=torch.tensor([types])"
    mean = f"{call}, output_hidden_states=True).hidden_states[1:]"
    return [
        *_framed(config.vocabulary, texts),
        f"f = {call}).pooler_output[0]"
        if sizes.reading == POOLED
        else f"f = torch.stack([layer[0, 0] for layer in {mean}]).mean(0)",
    ]


def _framed(vocabulary: Vocabulary, texts: Sequence[str]) -> list[str]:
    start, separator = vocabulary.start, vocabulary.separator
    if len(texts) == 1:
        return [f"row = [{start}, *read({texts[0]}), {separator}]", "types = [0] * len(row)"]
    return [
        f"a, b = read({texts[0]}), read({texts[1]})",
        f"row = [{start}, *a, {separator}, *b, {separator}]",
        "types = [0] * (len(a) + 2) + [1] * (len(b) + 1)",
    ]


def _load(name: str, prefix: str) -> str:
    start = f"n.startswith({prefix!r})".replace("'", '"')
    return f"{name}.load_state_dict({{n[{len(prefix)}:]: x for n, x in w.items() if {start}}})"
