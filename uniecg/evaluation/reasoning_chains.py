"""The 17 diagnoses of ECG-Reasoning-Benchmark as rules over our measurements, in the words of its questions.

The benchmark asks for criteria by name and states their thresholds in its questions; both are written down here.

References
----------
.. [O] Oh J. et al. ECG-Reasoning-Benchmark: evaluating clinical reasoning capabilities in ECG interpretation.
   arXiv:2603.14326, 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from uniecg.signal import patterns as p
from uniecg.signal.criteria import CRITERIA
from uniecg.signal.quantities import ANTERIOR, INFERIOR, LATERAL
from uniecg.signal.rules import (
    Criterion,
    Every,
    Met,
    Rule,
    Some,
    Unless,
    Within,
    all_of,
    any_of,
    criteria_in,
    decide,
    in_leads,
)


@dataclass(frozen=True)
class Chain:
    """How one diagnosis is reached.

    Attributes
    ----------
    rule : Rule
        Over criteria named in the words of the benchmark, in the order in which it asks for them.
    together : tuple of str
        Names of criteria that are all looked at before anything is decided.
    """

    rule: Rule
    together: tuple[str, ...] = ()

    @property
    def criteria(self) -> dict[str, Criterion]:
        """Name -> criterion."""
        return {item.name: item for item in criteria_in(self.rule)}

    def decide(self, known: Mapping[str, Met]) -> Met:
        """Diagnosis by what is known of the criteria; None if more findings are required."""
        if any(name not in known for name in self.together):
            return None
        return decide(self.rule, known)

    def next_criterion(self, known: Mapping[str, Met], offered: list[str]) -> str | None:
        """Name of the first criterion among those offered that is not known yet and can change the decision."""
        still = [name for name in self.criteria if name not in known and name in offered]
        return next((name for name in still if self._matters(name, known)), still[0] if still else None)

    def _matters(self, name: str, known: Mapping[str, Met]) -> bool:
        if name in self.together:
            return True
        rest = [other for other in self.criteria if other not in known and other != name]
        return any(
            decide(self.rule, {**case, name: True}) != decide(self.rule, {**case, name: False})
            for values in product((True, False), repeat=len(rest))
            for case in [{**known, **dict(zip(rest, values, strict=True))}]
        )


def _c(name: str, rule: Rule) -> Criterion:
    return Criterion(name, rule, "O")


def _early_st(low: float) -> Callable[[str], Rule]:
    # The QRS complexes of the benchmark end behind ours, its J point with them.
    return lambda lead: Within("early_st_mv", low=low, lead=lead)


def _depressed(lead: str) -> Rule:
    return Within("early_st_mv", high=-0.1 if lead == "V2" else -0.07, lead=lead)


def _inverted(lead: str) -> Rule:
    return Within("t_mv", high=-0.05, lead=lead)


def _infarction(territory: str, leads: tuple[str, ...], q: Callable[[str], Rule]) -> Chain:
    return Chain(
        any_of(
            _c(f"Presence of ST-segment elevation in {territory} leads", in_leads(_early_st(0.1), leads, 2)),
            _c(f"Presence of pathological Q waves in {territory} leads", in_leads(q, leads, 2)),
        )
    )


def _ischaemia(territory: str, leads: tuple[str, ...]) -> Chain:
    return Chain(
        any_of(
            _c(f"Presence of ST-segment depression in {territory} leads", in_leads(_depressed, leads, 2)),
            _c(f"Presence of inverted T waves in {territory} leads", in_leads(_inverted, leads, 2)),
        )
    )


WIDE = _c("Prolongation of the QRS duration", p.WIDE.rule)
CLBBB = all_of(
    WIDE,
    _c("Presence of a dominant S wave in leads V1 and V2", p.DOMINANT_S.rule),
    _c(
        "Presence of a positive monophasic QRS complex without a Q wave in lateral leads",
        p.PURE_R_LATERAL.rule,
    ),
    any_of(
        _c("Presence of a notched R wave in lateral leads", p.NOTCHED_R.rule),
        _c(
            "Presence of a broad monophasic R wave with a prolonged R wave peak time in leads V5 and V6",
            p.LATE_R.rule,
        ),
    ),
)
CRBBB = all_of(
    WIDE,
    any_of(
        _c("Presence of an RSR' pattern in leads V1 and V2", p.R_S_R.rule),
        _c("Presence of a broad monophasic R wave or qR pattern in lead V1", p.BROAD_R_V1.rule),
    ),
    _c("Presence of a slurred S wave in lateral leads", p.SLURRED_S.rule),
)
LBBB = _c(
    "Presence of left bundle branch block",
    any_of(CRITERIA["CLBBB"].rule, CRITERIA["ILBBB"].rule),
)
RBBB = _c(
    "Presence of right bundle branch block",
    any_of(CRITERIA["CRBBB"].rule, CRITERIA["IRBBB"].rule),
)
PREMATURE = _c("Presence of premature beats", p.PREMATURE.rule)
SLOW = _c("Presence of bradycardia (slow ventricular rate)", Within("heart_rate_bpm", high=70.0))
VOLTAGES = (
    _c("R wave amplitude in lead aVL > 1.1mV", Within("tallest_mv", low=1.1, lead="aVL")),
    _c("Sum of S amplitude in V1 and R amplitude in V5/V6 > 3.5mV", p.SOKOLOW_LYON.rule),
    _c(
        "Cornell Product ((R amplitude in aVL + S amplitude in V3) x QRS duration) > 0.244mV*s",
        Within("cornell_product_mvs", low=0.244),
    ),
)

CHAINS: Mapping[str, Chain] = {
    "first_degree_av_block": Chain(
        all_of(
            _c(
                "Evidence of consistent 1:1 atrioventricular conduction",
                all_of(Unless(p.UNTIED_P), Unless(p.DROPPED_BEAT)),
            ),
            _c("Prolongation of the PR interval", p.LONG_PR.rule),
        )
    ),
    "second_degree_av_block": Chain(
        all_of(
            _c("Occurrence of intermittent dropped beats", Within("longest_pause_ratio", low=1.4)),
            _c("Presence of a non-conducted P wave within the dropped interval", p.BLOCKED_P.rule),
        )
    ),
    "third_degree_av_block": Chain(
        all_of(
            SLOW,
            _c("Regularity of the RR intervals", p.STEADY.rule),
            any_of(
                _c("Presence of atrial fibrillation", p.FIBRILLATION.rule),
                _c("Presence of AV dissociation", p.UNTIED_P.rule),
            ),
        )
    ),
    "complete_left_bundle_branch_block": Chain(CLBBB),
    "complete_right_bundle_branch_block": Chain(CRBBB),
    "left_anterior_fascicular_block": Chain(
        all_of(
            Unless(LBBB),
            _c("Presence of left axis deviation", Within("net_axis_deg", -90.0, -30.0)),
            _c("Presence of a qR pattern in leads I and aVL", p.QR_LATERAL.rule),
            _c("Presence of an rS pattern in leads II, III, and aVF", p.RS_INFERIOR.rule),
        )
    ),
    "left_posterior_fascicular_block": Chain(
        all_of(
            Unless(LBBB),
            _c("Presence of right axis deviation", Within("net_axis_deg", 90.0, 180.1)),
            _c("Presence of an rS pattern in leads I and aVL", p.RS_LATERAL.rule),
            _c("Presence of a qR pattern in leads II, III, and aVF", p.QR_INFERIOR.rule),
        )
    ),
    "left_ventricular_hypertrophy": Chain(
        any_of(
            Some(VOLTAGES, 2),
            Every(
                (any_of(*VOLTAGES), _c("Presence of an LV strain pattern in lateral leads", p.STRAIN.rule))
            ),
        ),
        together=tuple(item.name for item in VOLTAGES),
    ),
    "right_ventricular_hypertrophy": Chain(
        any_of(
            all_of(
                RBBB,
                any_of(
                    _c("QRS axis > +60 degrees", Within("net_axis_deg", low=60.0)),
                    _c("R wave amplitude in V1 > 1.5mV", Within("tallest_mv", low=1.5, lead="V1")),
                ),
            ),
            all_of(
                Unless(RBBB),
                _c("Presence of right axis deviation", Within("net_axis_deg", low=100.0)),
                any_of(
                    _c("R wave amplitude in lead V1 > 0.7mV", Within("tallest_mv", low=0.7, lead="V1")),
                    _c(
                        "Ratio of R wave to S wave amplitude in lead V1 > 1.0",
                        Within("negative_share", high=0.5, lead="V1"),
                    ),
                ),
            ),
        )
    ),
    "premature_atrial_complex": Chain(
        all_of(
            PREMATURE,
            Unless(
                _c(
                    "Absence of significant QRS prolongation in the premature beat compared to normal beats",
                    Within("pvc_count", low=1),
                )
            ),
        )
    ),
    "premature_ventricular_complex": Chain(
        all_of(
            PREMATURE,
            _c(
                "Presence of significant QRS prolongation in the premature beat compared to normal beats",
                Within("pvc_count", low=1),
            ),
        )
    ),
    "anterior_myocardial_infarction": _infarction("anterior", ANTERIOR, p.anterior_q),
    "inferior_myocardial_infarction": _infarction("inferior", INFERIOR, p.deep_q),
    "lateral_myocardial_infarction": _infarction("lateral", LATERAL, p.deep_q),
    "anterior_ischemia": _ischaemia("anterior", ("V2", "V3", "V4")),
    "inferior_ischemia": _ischaemia("inferior", INFERIOR),
    "lateral_ischemia": _ischaemia("lateral", LATERAL),
}
"""Diagnosis of the benchmark -> chain. A criterion is met if the answer to the benchmark's question is yes."""
