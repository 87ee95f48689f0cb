"""What the referee of explanations reads beside numbers: leads with a sign, and words for values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from uniecg.evaluation.referee_values import ALL_LEADS, CHEST, Plain, number, of_lead, value_in

LEAD = r"(?:aV[RLF]|III|II|I|V[1-6])(?![\w'])"
LEAD_LIST = rf"{LEAD}(?:(?:, | and ){LEAD})*"
SEEN = r"(?: (?:are found|are seen|stand|stands|is seen|appears))?"


def _up(m: Plain, lead: str) -> float:
    return max(of_lead(m, lead, "r_mv"), of_lead(m, lead, "r_prime_mv"))


def _down(m: Plain, lead: str) -> float:
    return -min(of_lead(m, lead, "q_mv"), of_lead(m, lead, "s_mv"))


def _tall(m: Plain, lead: str) -> bool:
    """R is at least as large as S."""
    return max(_up(m, lead), 0.01) >= max(_down(m, lead), 0.01) - 1e-9


def _small(m: Plain, lead: str) -> bool:
    return max(_up(m, lead), 0.01) <= max(_down(m, lead), 0.01) + 1e-9


# Words before (or behind) a list of leads, and what each lead must then show.
SIGNS: tuple[tuple[str, Callable[[Plain, str], bool]], ...] = (
    (
        rf"(?:elevation|elevated|raised|raised ST segment|above the baseline) in ({LEAD_LIST})",
        lambda m, lead: of_lead(m, lead, "st_mv") >= 0.0999,
    ),
    (
        rf"(?:depression|depressed|lowered|lowered ST segment|below the baseline) in ({LEAD_LIST})",
        lambda m, lead: of_lead(m, lead, "st_mv") <= -0.0999,
    ),
    (
        rf"(?:[Ii]nverted|[Nn]egative|inversion|[Tt]urned)(?: T waves)?{SEEN} in ({LEAD_LIST})",
        lambda m, lead: of_lead(m, lead, "t_mv") <= -0.0999,
    ),
    (rf"Q waves{SEEN} in ({LEAD_LIST})", lambda m, lead: of_lead(m, lead, "q_ms") >= 30),
    (rf"[Nn]o Q in ({LEAD_LIST})", lambda m, lead: of_lead(m, lead, "q_mv") == 0),
    (rf"(?:R'|second R wave){SEEN} in ({LEAD_LIST})", lambda m, lead: of_lead(m, lead, "r_prime_mv") > 0),
    (
        rf"({LEAD_LIST}) (?:show|have|carry) (?:an R'|a second R wave)",
        lambda m, lead: of_lead(m, lead, "r_prime_mv") > 0,
    ),
    (r"S (?:in|from) (V1)(?: on)?(?! to)", _tall),
)
BETWEEN = re.compile(r"between (V[1-6]) and (V[1-6])", re.IGNORECASE)
THROUGHOUT = re.compile(r"from V1 to V6")


def leads_with_a_sign(text: str, m: Plain) -> tuple[str, list[tuple[str, bool]]]:
    """Read what is said of leads without a number beside them.

    Parameters
    ----------
    text : str
        A sentence.
    m : mapping
        As `plain_of` gives it.

    Returns
    -------
    text : str
        What remains unread.
    found : list of (words, whether they are right)
    """
    found: list[tuple[str, bool]] = []
    given = {reason for reasons in m["quality"]["leads"].values() for reason in reasons}
    for reason in sorted(given, key=len, reverse=True):
        for match in re.finditer(rf"{re.escape(reason)} in ({LEAD_LIST})", text, re.IGNORECASE):
            named = re.findall(LEAD, match[1])
            found += [
                (f"{reason} in {lead}", reason in m["quality"]["leads"].get(lead, ())) for lead in named
            ]
        text = re.sub(rf"{re.escape(reason)} in {LEAD_LIST}", "", text, flags=re.IGNORECASE)
    for match in re.finditer(rf"({LEAD_LIST}) \(up to (\d\.\d) mV\)", text):
        largest = max(abs(of_lead(m, lead, "st_mv")) for lead in re.findall(LEAD, match[1]))
        found.append((match[0], abs(float(match[2]) - largest) <= 0.0501))
    text = re.sub(r" \(up to \d\.\d mV\)", "", text)
    for pattern, shows in SIGNS:
        for match in re.finditer(pattern, text):
            found += [(f"{match[0]}: {lead}", shows(m, lead)) for lead in re.findall(LEAD, match[1])]
        # The words stay: they tell what the numbers behind them mean.
        text = re.sub(pattern, lambda match: re.sub(LEAD_LIST, "", match[0]), text)
    for match in BETWEEN.finditer(text):
        first, second = CHEST.index(match[1].upper()), CHEST.index(match[2].upper())
        right = second == first + 1 and all(_small(m, lead) for lead in CHEST[:second])
        found.append((match[0], right and _tall(m, CHEST[second])))
    for match in THROUGHOUT.finditer(text):
        found.append((match[0], all(_small(m, lead) for lead in CHEST)))
    return THROUGHOUT.sub("", BETWEEN.sub("", text)), found


def _ranges(m: Plain) -> tuple[tuple[str, str, float, float, float], ...]:
    """Clause that speaks of a quantity, word, value as written, and the range in which the word is right."""
    rate, pr, qrs, qtc, axis, variation = (
        number(m[name])
        for name in ("heart_rate_bpm", "pr_ms", "qrs_ms", "qtc_fridericia_ms", "qrs_axis_deg", "rr_cv")
    )
    long_qtc = 450 if m["sex"] == "male" else 460
    about_rate = r"\brate\b(?! of the atria)|heart (?:beats|goes)|ventric\w+ (?:beat|rhythm runs)|per minute"
    any_rr = r"^(?!.*atrial activity).*(?:RR\b|rhythm|beats|complexes|[Rr]egular)|[Ii]rregular"
    inf = math.inf
    return (
        (about_rate, r"slow(?:ly)?\b(?! nor)", round_(rate), -inf, 59),
        (about_rate, r"(?<!nor )\bfast\b", round_(rate), 101, inf),
        (about_rate, r"\b(?:normal|unremarkable|neither slow nor fast)\b", round_(rate), 60, 100),
        (r"\bPR\b", r"\b(?:long|prolonged)\b", round_(pr), 201, inf),
        (r"\bPR\b", r"\bshort\b", round_(pr), -inf, 119),
        (r"\bPR\b", r"\b(?:normal|unremarkable)\b", round_(pr), 120, 200),
        (r"\bQRS\b(?! axis)", r"(?<!not )\b(?:wide|broad(?:ened)?)\b", round_(qrs), 120, inf),
        (r"\bQRS\b(?! axis)", r"\b(?:not wide|narrow)\b", round_(qrs), -inf, 119),
        (r"\bQTc\b", r"\b(?:long|prolonged)\b", round_(qtc), long_qtc, inf),
        (r"\bQTc\b", r"\bshort\b", round_(qtc), -inf, 339),
        (r"\bQTc\b", r"\b(?:normal|unremarkable)\b", round_(qtc), 340, long_qtc - 1),
        (r"\baxis\b", r"\b(?:normal|within its normal range|where it should be)\b", round_(axis), -30, 90),
        (r"\baxis\b", r"\b(?:left|leftward)\b", round_(axis), -90, -31),
        (r"\baxis\b", r"\b(?:right|rightward)\b", round_(axis), 91, 180),
        (r"\baxis\b", r"\bextreme\b", round_(axis), -180, -91),
        (any_rr, r"(?<!lightly )\b[Ii]rregular(?:ly)?\b", variation, 0.0999, inf),
        (any_rr, r"\b[Ss]lightly irregular(?:ly)?\b", variation, 0.05, 0.1),
        (any_rr, r"\b[Rr]egular(?:ly)?\b(?! between| at| atrial)", variation, -inf, 0.0501),
        (r"Sokolow", r"\b(?:high|large|tall|raised)\b", value_in(m, "sokolow_lyon_mv", None), 3.4999, inf),
        (r"limb lead", r"\b(?:small|low)\b", value_in(m, "limb_qrs_mv", None), -inf, 0.5001),
    )


def round_(value: float) -> float:
    """The value as it is written, without decimals; NaN stays."""
    return value if math.isnan(value) else round(value)


NOTHING_SHIFTED = re.compile(
    r"\b[Nn]o significant ST|\b[Nn]o ST (?:elevation or|shift)|ST segments (?:stay|are|lie) (?:at|near|close)"
    r"|ST is not shifted|ST is neither|not significantly shifted|no significant shift|without significant deviation"
    r"|[Nn]either ST elevation|[Tt]here is neither ST|of the ST segments (?:departs|strays)"
)
NOTHING_INVERTED = re.compile(
    r"not inverted|nowhere inverted|[Nn]o T wave inversion|no inversion|no significant inversion|none is inverted"
    r"|without inversion|inversion is (?:absent|not)|[Nn]owhere is T|[Ii]n none of the leads is T"
)
NO_LARGE_Q = re.compile(
    r"[Nn]o (?:pathological|abnormal) Q|Q waves, where there are any|Q waves (?:are absent|are not)"
    r"|of the Q waves is|(?:[Nn]o lead|[Nn]one of the leads) (?:has|shows) (?:a|an) (?:pathological|abnormal)"
)
UNTIED_P = re.compile(r"[Nn]ot tied to the QRS")
FEW_P = re.compile(r"P waves are (?:missing|hardly|not to be found)|(?:[Nn]ext to|[Aa]lmost) no P waves")
ALL_GOOD = re.compile(
    r"no lead (?:has|needs|is spoiled)|quality is good|: good|(?:is|are) noisy|is spoiled (?:enough|so)"
    r"|is disturbed (?:enough|so)|good enough to be read|is readable in|lets itself be read"
)


def words(text: str, m: Plain, *, q_infarct: bool | None, fibrillates: bool) -> Iterator[tuple[str, bool]]:
    """Yield words for values and denials of signs, each with whether it is right.

    Parameters
    ----------
    text : str
        A sentence, without quotations and limits.
    m : mapping
        As `plain_of` gives it.
    q_infarct : bool or None
        Whether the criteria of pathological Q waves are met.
    fibrillates : bool
        Whether the criteria of atrial fibrillation or flutter are met.
    """
    for clause in re.split(r";| and (?=an? |QRS|QTc?|PR)|, (?=an? |QRS|QTc?\b|PR|axis)", text):
        for about, word, value, low, high in _ranges(m):
            if re.search(about, clause):
                for match in re.finditer(word, clause):
                    yield f"{match[0]}: {clause.strip()}", low <= value <= high
    if NOTHING_SHIFTED.search(text):
        usual = 0.15 if m["sex"] == "female" else 0.2
        shifts = {lead: of_lead(m, lead, "st_mv") for lead in ALL_LEADS}
        off = [
            lead
            for lead, level in shifts.items()
            if abs(level) >= 0.1001 and not (lead in ("V2", "V3") and 0 < level < usual)
        ]
        yield text, not off
    if NOTHING_INVERTED.search(text):
        plain_leads = [lead for lead in ALL_LEADS if lead not in ("aVR", "V1", "III", "aVL")]
        yield text, not any(of_lead(m, lead, "t_mv") <= -0.1001 for lead in plain_leads)
    if NO_LARGE_Q.search(text):
        yield text, q_infarct is False
    elif re.search(r"(?:[Pp]athological|[Aa]bnormal) Q waves (?:in|are (?:found|seen) in|stand)", text):
        yield text, q_infarct is True
    p_share, p_rate, rate = (number(m[name]) for name in ("p_fraction", "p_rate_bpm", "heart_rate_bpm"))
    if UNTIED_P.search(text):
        yield text, p_share <= 0.3 and abs(p_rate / rate - 1) > 0.1
    elif FEW_P.search(text):
        # Fibrillation and flutter have waves that pass for P waves at odd rates.
        yield text, p_share <= 0.3 and (fibrillates or not abs(p_rate / rate - 1) > 0.1)
    if ALL_GOOD.search(text):
        yield text, m["quality"]["verdict"] == "usable" and not m["quality"]["reasons"]
