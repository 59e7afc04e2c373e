"""Elements of HTML and SVG. Texts and attributes are escaped where they are written out, so none can be markup."""

import unicodedata
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

# Of these, line breaks apart, some would reorder or hide the text around them.
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def element(tag: str, *inside: Element | str, **attributes: object) -> Element:
    """An element. A trailing _ of an attribute's name is left out, and _ within is -: `class_`, `text_anchor`."""
    made = Element(
        tag,
        {
            name.rstrip("_").replace("_", "-"): plain(str(value))
            for name, value in attributes.items()
        },
    )
    last: Element | None = None
    for one in inside:
        if isinstance(one, Element):
            made.append(one)
            last = one
        elif last is None:
            made.text = (made.text or "") + plain(one)
        else:
            last.tail = (last.tail or "") + plain(one)
    return made


def written(root: Element) -> str:
    """The element as HTML."""
    return ElementTree.tostring(root, encoding="unicode", method="html")


def plain(text: str) -> str:
    """The text without control characters: what steers a terminal or turns the direction of writing around."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _CONTROL else c for c in text
    )
