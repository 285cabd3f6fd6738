"""The lines of plain torch that open a saved student, for the README of its directory."""

from __future__ import annotations

from transferset.students.config import BiattentiveSizes, BilstmSizes, Config, TransformerSizes
from transferset.students.modes import MULTICHANNEL, POOLED, STATIC

_TEXTS = ('"a text"', '"another"')


def plain_lines(config: Config, *, words: bool, lowercase: bool) -> list[str]:
    """Python that opens a plain BERT with transformers and prints logits."""
    return [
        *_imports(words=words, more="from transformers import AutoModelForSequenceClassification"),
        *_vocabulary(words=words, lowercase=lowercase),
        'model = AutoModelForSequenceClassification.from_pretrained(".")',
        *_framed(config),
        "print(model(torch.tensor([row]), token_type_ids=torch.tensor([types])).logits[0])",
    ]


def torch_lines(config: Config, *, words: bool, lowercase: bool) -> list[str]:
    """Python that opens any other student with plain torch and prints logits.

    Args:
        config: Of the student, as saved.
        words: Whether its vocabulary is `words.json`, not `tokenizer.json`.
        lowercase: Whether words are lower-cased.
    """
    sizes = config.encoder
    more = "from transformers import BertConfig, BertModel"
    lines = _imports(words=words, more=more if isinstance(sizes, TransformerSizes) else "")
    lines += ['w = load_file("model.safetensors")', *_vocabulary(words=words, lowercase=lowercase)]
    lines.append('linear = lambda x, name: x @ w[name + ".weight"].T + w[name + ".bias"]')
    if isinstance(sizes, BilstmSizes):
        lines += _bilstm(config, sizes)
    elif isinstance(sizes, BiattentiveSizes):
        lines += _biattentive(config, sizes)
    else:
        lines += _transformer(config, sizes)
    hidden = "f" if config.head.hidden is None else 'linear(f, "heads.0.layer").relu()'
    return [*lines, f'print(linear({hidden}, "heads.0.output"))']


def _imports(*, words: bool, more: str) -> list[str]:
    first = "import json, torch" if words else "import torch"
    lines = [first, "from safetensors.torch import load_file", more]
    if not words:
        lines.append("from tokenizers import Tokenizer")
    return [line for line in lines if line]


def _vocabulary(*, words: bool, lowercase: bool) -> list[str]:
    if words:
        split = "text.lower().split()" if lowercase else "text.split()"
        return [
            'ids = {word: i for i, word in enumerate(json.load(open("words.json"))["words"], 4)}',
            f"read = lambda text: [ids.get(word, 1) for word in {split}]",
        ]
    return [
        'tokenizer = Tokenizer.from_file("tokenizer.json")',
        "read = lambda text: tokenizer.encode(text, add_special_tokens=False).ids",
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
    lines = [
        _embed(config),
        f"lstm = torch.nn.LSTM({shape}, bidirectional=True)",
        _load("lstm", "encoder.lstm."),
        f"last = {last}",
    ]
    if not config.tasks[0].pair:
        return [*lines, f"f = last({_TEXTS[0]})"]
    both = f"a, b = last({_TEXTS[0]}), last({_TEXTS[1]})"
    return [*lines, both, "f = torch.cat([a, b, a * b, (a - b).abs()])"]


def _biattentive(config: Config, sizes: BiattentiveSizes) -> list[str]:
    texts = _TEXTS if config.tasks[0].pair else _TEXTS[:1] * 2
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
        f"x, y = state({texts[0]}), state({texts[1]})",
        'f = torch.cat([pool(see(x, y), "encoder.first"), pool(see(y, x), "encoder.second")])',
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
    pooled = sizes.reading == POOLED
    members = ", ".join(f"{name}={value}" for name, value in given.items())
    call = "bert(torch.tensor([row]), token_type_ids=torch.tensor([types])"
    mean = f"{call}, output_hidden_states=True).hidden_states[1:]"
    return [
        f"bert = BertModel(BertConfig({members}), add_pooling_layer={pooled}).eval()",
        _load("bert", "encoder.bert."),
        *_framed(config),
        f"f = {call}).pooler_output[0]"
        if pooled
        else f"f = torch.stack([layer[0, 0] for layer in {mean}]).mean(0)",
    ]


def _framed(config: Config) -> list[str]:
    start, separator = config.vocabulary.start, config.vocabulary.separator
    if not config.tasks[0].pair:
        return [f"row = [{start}, *read({_TEXTS[0]}), {separator}]", "types = [0] * len(row)"]
    return [
        f"a, b = read({_TEXTS[0]}), read({_TEXTS[1]})",
        f"row = [{start}, *a, {separator}, *b, {separator}]",
        "types = [0] * (len(a) + 2) + [1] * (len(b) + 1)",
    ]


def _load(name: str, prefix: str) -> str:
    start = f"n.startswith({prefix!r})".replace("'", '"')
    return f"{name}.load_state_dict({{n[{len(prefix)}:]: x for n, x in w.items() if {start}}})"
