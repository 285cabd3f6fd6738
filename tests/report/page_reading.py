"""Reading a report back: a strict parser for the HTML that we write."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "col"}


class Page(HTMLParser):
    """Elements with their attributes, and the visible text; unbalanced tags fail."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open, f"closed and never opened: {tag}"
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data

    def handle_comment(self, data):
        self.comments.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str | None]:
        return [a["id"] for _, a in self.elements if "id" in a]


def check_safe(text: str) -> Page:
    """A page that can do nothing and refers to nothing outside; what it names is there."""
    page = Page(text)
    names = {name for name, _ in page.elements}
    assert not names & {"script", "iframe", "object", "embed", "img", "base", "form", "use"}
    for name, attributes in page.elements:
        assert not [a for a in attributes if a.startswith("on") or a == "style"], name
        for key in ("href", "src"):
            target = attributes.get(key) or "#"
            assert target.startswith(("#", "https://", "http://", "data:,")), target
    assert len(page.ids) == len(set(page.ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(page.ids)
    assert not [c for c in page.text if ord(c) < 32 and c != "\n"]
    return page
