"""Count what can be drawn: families, templates and languages of every grammar, in training and held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from uniecg.text.asking import by_kind, grammars
from uniecg.text.grammar import Family
from uniecg.text.requests import ACTIONS, Split, families

SPLITS: tuple[Split, ...] = ("train", "heldout")


def _all(kinds: Mapping[str, Iterable[Family]]) -> list[Family]:
    return [family for found in kinds.values() for family in found]


def main() -> None:
    """Print one row of a Markdown table for each grammar."""
    print("| grammar | kinds | families, held out | templates, held out | languages |")
    print("|---|---|---|---|---|")
    rows = [
        (f"`{name}`", len(by_kind(name)), [_all(by_kind(name, split)) for split in SPLITS])
        for name in grammars()
    ]
    rows += [(f"`{action}`", 1, [list(families(action, split)) for split in SPLITS]) for action in ACTIONS]
    for name, kinds, groups in rows:
        templates = [sum(len(family.templates) for family in group) for group in groups]
        languages = {family.options.get("lang", "en") for group in groups for family in group}
        sizes = [len(group) for group in groups]
        print(
            f"| {name} | {kinds} | {sizes[0]}, {sizes[1]} | {templates[0]:,}, {templates[1]:,} | "
            f"{' '.join(sorted(languages))} |"
        )


if __name__ == "__main__":
    main()
