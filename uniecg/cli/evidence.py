"""The findings of a record with what they rest on, for the picture of the evidence."""

from __future__ import annotations

from ..plot import Basis, Claim
from ..signal import Measurements
from ..signal.carriers import with_leads
from ..signal.criteria import explain, findings
from ..text.statements import STATEMENTS


def claims_of(m: Measurements) -> list[Claim]:
    """Return the findings that the criteria meet, each value with the leads it comes from."""
    claims = []
    for code in findings(m):
        judged = (item for item in explain(code, m).criteria if item.met is not None)
        bases = (Basis(item.name, tuple(with_leads(m, item.evidence)), item.met is True) for item in judged)
        claims.append(Claim(STATEMENTS[code].name, tuple(bases)))
    return claims
