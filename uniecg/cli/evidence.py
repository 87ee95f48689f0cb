"""The findings of a record with what they rest on, for the picture of the evidence."""

from __future__ import annotations

from ..plot import Basis, Claim
from ..report import Finding
from ..signal import Measurements
from ..signal.carriers import with_leads
from ..signal.criteria import check, explain, findings
from ..text.statements import STATEMENTS


def findings_of(m: Measurements) -> list[Finding]:
    """Return the statements whose criteria are met, with the values that they rest on."""
    return [Finding(code, STATEMENTS[code].name, "supported", check(code, m)[1]) for code in findings(m)]


def claims_of(m: Measurements) -> list[Claim]:
    """Return the findings that the criteria meet, each value with the leads it comes from."""
    claims = []
    for code in findings(m):
        judged = (item for item in explain(code, m).criteria if item.met is not None)
        bases = (Basis(item.name, tuple(with_leads(m, item.evidence)), item.met is True) for item in judged)
        claims.append(Claim(STATEMENTS[code].name, tuple(bases)))
    return claims
