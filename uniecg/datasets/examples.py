"""One labelled ECG, whatever data set it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from uniecg.attributes import Attributes
from uniecg.record import Record


@dataclass(frozen=True)
class Example:
    """One labelled ECG.

    Attributes
    ----------
    uid : str
        Identifier inside the data set, without any link to a person's name.
    record : Record
        The waveform. ``record.metadata["amplitude"] == "unknown"`` marks sources that were
        normalised per lead, or whose unit is in doubt: their shape and timing are real, their millivolts are not.
    statements : tuple of str
        SCP-ECG codes; empty when the source gives none.
    superclasses : tuple of str
        PTB-XL diagnostic superclasses (NORM, MI, STTC, CD, HYP); empty when unknown.
    age : float or None
        Years.
    sex : str or None
        ``"female"`` or ``"male"``.
    split : str
        ``"train"``, ``"val"`` or ``"test"``.
    dataset : str
        Name of the source.
    patient : str
        Pseudonym that groups the records of one person (for patient-wise bootstrap).
    text : str
        The report of the source in its own language (English, German or Swedish); empty when there is none.
    other_statements : tuple of str
        What the source says beyond SCP-ECG: its labels that no code of the vocabulary stands for, by name.
    conversation : tuple of (str, str)
        Turns about this ECG as (speaker, words), for sources of conversations.
    """

    uid: str
    record: Record
    statements: tuple[str, ...]
    superclasses: tuple[str, ...]
    age: float | None
    sex: str | None
    split: str
    dataset: str
    patient: str
    text: str = ""
    other_statements: tuple[str, ...] = ()
    conversation: tuple[tuple[str, str], ...] = ()

    @property
    def amplitude_known(self) -> bool:
        """Whether the signal's millivolts mean anything."""
        return bool(self.record.metadata.get("amplitude") != "unknown")

    def person(self) -> Attributes:
        """Age and sex as :class:`Attributes`."""
        sex = self.sex if self.sex in ("female", "male") else None
        return Attributes(age=self.age, sex=sex)  # type: ignore[arg-type]
