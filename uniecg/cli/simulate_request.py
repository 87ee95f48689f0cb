"""What the command `simulate` is asked for: statements, numbers, ranges to draw from, and the words left over."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import typer

from ..attributes import NUMERIC, Attributes
from ..errors import InputError
from ..simulate import OWN_NAMES, RATE_RANGES, SIMULATED, sinus_of
from ..text.attributes import attribute_spans, parse_attributes, parse_ranges
from ..text.certainty import Named, certainties
from ..text.phrases import PhraseTable, spelled, wordings
from ..text.possible import BLOCKED, contradiction, impossible
from ..text.statements import list_kind
from ..text.vocabulary import VOCABULARY

NOT_DRAWN, RAPID = "not drawn", "rapid"
_STEMI = (
    "[STEMI|ST elevation MI|ST elevation infarction|ST elevation myocardial infarction|ST elevation infarct]"
)
_REVERSED = "[|lead |leads |electrode |electrodes ][reversal|swap|swapped|interchange|interchanged|reversed]"
_WALLS = ("anterior", "inferior", "lateral", "posterior")
_OTHER_WALLS = (
    "anteroseptal", "septal", "anterolateral", "high lateral", "inferolateral", "inferoposterior", "posterolateral",
    *(f"{one} {link} {other}" for one in _WALLS for other in _WALLS for link in ("and", "/", "+") if one != other),
    *(f"{one}/{other}" for one in _WALLS for other in _WALLS if one != other), "",
)  # fmt: skip


def _acute(wall: str) -> tuple[str, ...]:
    return (
        f"{wall} [|wall ]{_STEMI}", f"{_STEMI} {wall}", f"{_STEMI}, {wall}", f"{_STEMI} of the {wall} wall",
        f"acute {wall} [|wall ][STEMI|MI|infarct|infarction|myocardial infarction|myocardial infarct]",
    )  # fmt: skip


_WORDINGS: dict[str, tuple[str, ...]] = {
    **{code: (name,) for code, name in OWN_NAMES.items()},
    "2AVB1": (OWN_NAMES["2AVB1"], "[|type ]Mobitz [|type ][I|1]", "Wenckebach[| type| block]"),
    "2AVB2": (OWN_NAMES["2AVB2"], "[|type ]Mobitz [|type ][II|2]"),
    "2AVB21": (OWN_NAMES["2AVB21"], "AV block 2:1", "AV block, 2:1", "two to one AV block"),
    "COUPLET": (OWN_NAMES["COUPLET"], "[couplet|couplets]"),
    **{f"STEMI {wall}": (OWN_NAMES[f"STEMI {wall}"], *_acute(wall)) for wall in _WALLS},
    **{
        code: (OWN_NAMES[code], f"[{'|'.join((pair, turned, spaced, spaced_turned))}] {_REVERSED}")
        for code in OWN_NAMES
        if code.startswith("REVERSAL ")
        for pair in [code.removeprefix("REVERSAL ")]
        for turned in ["/".join(reversed(pair.split("/")))]
        for spaced, spaced_turned in [(pair.replace("/", " / "), turned.replace("/", " / "))]
    },
    RAPID: ("[RVR|rapid ventricular response|rapid ventricular rate|rapid response|fast ventricular response]",),
    NOT_DRAWN: (
        "[atrial|supraventricular|PAC] [couplet|couplets]",
        *(wording.strip(" ,") for wall in _OTHER_WALLS for wording in _acute(wall)),
    ),
}  # fmt: skip
_PHRASES = PhraseTable(
    [
        *(
            phrase
            for code, group in _WORDINGS.items()
            for wording in group
            for phrase in spelled(code, wording)
        ),
        *wordings(),
    ]
)
_ALIASES = {"ALR": "REVERSAL LA/RA"}
_MEANT = {
    f"STEMI {wall}": "STEMI" for wall in _WALLS
}  # fmt: skip
"""What the vocabulary calls statements of the simulator that are not in it."""

_NUMBERS = {
    RAPID: ("heart_rate_bpm", 110.0, 160.0), "BRADY": ("heart_rate_bpm", 42.0, 58.0),
    "SPRI": ("pr_ms", 90.0, 115.0), "NAXIS": ("qrs_axis_deg", 0.0, 75.0), "LAD": ("qrs_axis_deg", -75.0, -35.0),
    "RAD": ("qrs_axis_deg", 98.0, 140.0), "XAD": ("qrs_axis_deg", -160.0, -100.0),
}  # fmt: skip
"""Words that stand for a number -> which, and the range it is drawn from where neither it nor a statement says more."""

_BARE_RATE = re.compile(
    r"\s*(?:(?:with|at|of|rate|about|around|ca\.?|mit|med|bei|@|~|=|:)\s*){0,2}(?P<low>\d{2,3})"
    r"(?:\s*(?:-|\u2013|to|bis|till)\s*(?P<high>\d{2,3}))?"
    r"(?![\d.:/]|\s*(?:[\u00b0%\u2013-]|(?:ms|msec|s|sec|mm|mv|hz|f|m|y|yo|yrs?|years?|jahr\w*|år|deg\w*)\b))",
    re.IGNORECASE,
)
_AT = re.compile(r"\s*(?:@|at\b)", re.IGNORECASE)
_RATIO = re.compile(r"\b([2-6])\s*:\s*1\b(?:\s+(?:AV\s+)?(?:conduction|block))?", re.IGNORECASE)
_PARTS = re.compile(r"[,;!?\n\0]+|\.(?!\d)")
_SAYING_NOTHING = re.compile(
    "a|an|the|and|or|with|without|no|not|of|in|on|at|is|are|has|have|shows?|showing|simulate|generate|draw|make|me|please"
    "|ecg|ekg|electrocardiogram|tracing|record|12-lead|12|lead|patient|person|case|adult|possible|probable|likely"
    "|suspected|rhythm|rate|type|ventricular|hr|old|years?|degrees?|deg|bpm|ms|min|now|then|but|who"
    "|nor|neither|present|seen|found|absent"
    "|mit|und|oder|ohne|weder|noch|keine?n?|eine?|einer|einem|der|die|das|bei|alte?|alter|alten"
    "|med|och|eller|utan|en|ett|på|hos|ingen|inga",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Request:
    """A request as it was read.

    Attributes
    ----------
    statements : tuple of str
        Of `uniecg.simulate.SIMULATED`.
    attributes : Attributes
    ranges : dict
        Name of an attribute -> lowest and highest value to draw it from.
    meant : tuple of str
        Everything that is asserted, in codes of the vocabulary.
    left_out : tuple of str
        Words that nothing is made of: not understood, or not to be simulated.
    """

    statements: tuple[str, ...]
    attributes: Attributes
    ranges: dict[str, tuple[float, float]]
    meant: tuple[str, ...]
    left_out: tuple[str, ...]

    def draw(self, seed: int) -> tuple[tuple[str, ...], Attributes]:
        """Statements and numbers to simulate; those in a range are drawn.

        Raises
        ------
        InputError
            If no ECG can be like that.
        """
        # A generator of its own: the waves of a seed are the same whether a number was drawn or given.
        rng = np.random.default_rng((seed, 1))
        drawn = {name: float(round(rng.uniform(*ends))) for name, ends in self.ranges.items()}
        attributes = replace(self.attributes, **drawn)  # type: ignore[arg-type]
        statements, meant = (
            _sinus(codes, attributes.heart_rate_bpm) for codes in (self.statements, self.meant)
        )
        reason = contradiction(meant, attributes)
        if reason is not None:
            raise InputError(reason)
        return statements, attributes


def _sinus(codes: tuple[str, ...], rate: float | None) -> tuple[str, ...]:
    """Sinus rhythm outside of 60 to 100 by its name; behind an AV block the rate is not that of the sinus node."""
    if rate is None or BLOCKED & set(codes):
        return codes
    return tuple(dict.fromkeys(sinus_of(rate) if code == "SR" else code for code in codes))


def read_request(text: str) -> Request:
    """Statements and numbers of a request.

    Parameters
    ----------
    text : str
        Such as ``"atrial fibrillation, left bundle branch block, 110/min"``.

    Raises
    ------
    typer.BadParameter
        If nothing in it can be simulated.
    InputError
        If no ECG can be like that.
    """
    reason = impossible(text, "")
    if reason is not None:
        raise InputError(reason)
    attributes, ranges = parse_attributes(text), parse_ranges(text)
    attributes = replace(attributes, **dict.fromkeys(ranges))
    spans = attribute_spans(text)
    codes: list[str] = []
    left_out: list[str] = []
    meant: list[str] = []
    # What the simulator has a word of its own for is not drawn as what the vocabulary calls it.
    found = [
        ([code for code in codes if code in _WORDINGS] or codes, start, end)
        for codes, start, end in _PHRASES.find(text)
    ]
    said = certainties(text, [Named(start, end, _kind(names[0])) for names, start, end in found])
    for (names, start, end), certainty in zip(found, said, strict=True):
        spans.append((start, end))
        if certainty == "denied":
            continue
        if not all(_drawn(code) or code in _NUMBERS for code in names):
            left_out.append(text[start:end])
            continue
        codes += [_drawn(code) or code for code in names]
        meant += [_MEANT.get(code, code) for code in names]
        rate_may_follow = any(map(_is_rhythm, names)) or _AT.match(text, end) is not None
        if attributes.heart_rate_bpm is None and "heart_rate_bpm" not in ranges and rate_may_follow:
            bare = _BARE_RATE.match(text, end)
            if bare is not None and all(bare.end() <= a or bare.start("low") >= b for a, b in spans):
                low, high = float(bare["low"]), float(bare["high"] or bare["low"])
                limits = NUMERIC["heart_rate_bpm"]
                if limits.low <= low <= high <= limits.high:
                    if low < high:
                        ranges["heart_rate_bpm"] = (low, high)
                    else:
                        attributes = replace(attributes, heart_rate_bpm=low)
                    spans.append(bare.span())
    if "AFLT" in codes:
        for ratio in _RATIO.finditer(text):
            spans.append(ratio.span())
            if attributes.heart_rate_bpm is None and "heart_rate_bpm" not in ranges:
                attributes = replace(attributes, heart_rate_bpm=300.0 / int(ratio[1]))
        codes, meant = ([code for code in found if code != "2AVB21"] for found in (codes, meant))
    statements = [code for code in dict.fromkeys(codes) if code in SIMULATED]
    limited = {
        limit.quantity
        for code in meant
        if code not in _NUMBERS and code in VOCABULARY
        for limit in VOCABULARY[code].implies
    }
    for code in codes:
        name, low, high = _NUMBERS.get(code, ("", 0.0, 0.0))
        if name and name not in limited and getattr(attributes, name) is None and name not in ranges:
            ranges[name] = (low, high)
    if "BRADY" in codes and not any(code in RATE_RANGES or code == "AFLT" for code in statements):
        statements.insert(0, "SBRAD")
    if not statements and not attributes.to_dict() and not ranges:
        raise typer.BadParameter(
            f"nothing in {text!r} can be simulated; name a rhythm or a finding, for example "
            "'atrial fibrillation, left bundle branch block, 110/min'"
        )
    acute = [OWN_NAMES[code] for code in statements if code.startswith("STEMI ")]
    if len(acute) > 1:
        raise InputError(
            f"one wall of an acute infarct can be simulated, not {' and '.join(acute)}; name one"
        )
    asserted = [code for code in dict.fromkeys(meant) if code in VOCABULARY]
    left_out += _rest(text, spans)
    return Request(tuple(statements), attributes, ranges, tuple(asserted), tuple(left_out))


def _drawn(code: str) -> str | None:
    """What is drawn for a statement: itself, or its nearest wider one that can be."""
    found: str | None = _ALIASES.get(code, code)
    while found is not None and found not in SIMULATED:
        found = VOCABULARY[found].parent if found in VOCABULARY and found not in _NUMBERS else None
    return found


def _kind(code: str) -> str | None:
    return list_kind(code) if code in VOCABULARY else None


def _is_rhythm(code: str) -> bool:
    return code == RAPID or (code in VOCABULARY and VOCABULARY[code].kind == "rhythm")


def _rest(text: str, spans: list[tuple[int, int]]) -> list[str]:
    """Parts of the text that lie outside of the spans and say something."""
    letters = list(text)
    for start, end in spans:
        letters[start:end] = "\0" * (end - start)
    rest = []
    for part in _PARTS.split("".join(letters)):
        if not all(_SAYING_NOTHING.fullmatch(word) for word in re.findall(r"\w[\w/:.+-]*", part)):
            rest.append(
                re.sub(r"^(?:and|with|und|mit|och|med)\s+|\s+(?:and|with|und|mit|och|med)$", "", part.strip())
            )
    return rest
