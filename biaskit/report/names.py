"""Categories as they appear on a page: id, word, and a link that no name can break."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from biaskit.export.escapes import visible

__all__ = ["Name", "Names"]

LONGEST = 80  # characters of a name that are shown


@dataclass(frozen=True)
class Name:
    """A category of one split, as shown; text only, to be escaped by the template."""

    category: str
    split: str
    id: str  # the category's own id, readable
    word: str  # the word for it; empty if there is none
    anchor: str  # made from a number, never from the name

    @property
    def label(self) -> str:
        """Id and word."""
        return f"{self.id} {self.word}".strip()

    @property
    def spoken(self) -> str:
        """What a sentence calls it."""
        return f"“{self.word or self.id}”"


@dataclass
class Names:
    """
    All categories of a page in order, with the words for them.

    Parameters
    ----------
    groups : DataFrame
        Columns category and split, one row per group.
    words : mapping
        Category to readable word.
    """

    groups: pd.DataFrame
    words: Mapping[str, str]
    _found: list[Name] = field(init=False, repr=False)
    _first: dict[str, Name] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = zip(self.groups["category"].astype(str), self.groups["split"], strict=True)
        several = self.groups["split"].nunique() > 1
        self._found = []
        for number, (category, split) in enumerate(pairs, start=1):
            known = category if category.strip() else "(no name)"
            label = f"{known} ({split})" if several else known
            word = visible(self.words.get(category, ""))
            anchor = f"category-{number}"
            name = Name(category, str(split), _cut(visible(label)), _cut(word), anchor)
            self._found.append(name)
        self._first = {name.category: name for name in reversed(self._found)}

    def __iter__(self) -> Iterator[Name]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def any_split(self, category: str) -> Name:
        """Return the first name of a category; one without anchor if it is not on the page."""
        return self._first.get(category) or Name(category, "", _cut(visible(category)), "", "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
