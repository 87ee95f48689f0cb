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
        normalised per lead: their shape and timing are real, their millivolts are not.
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

    @property
    def amplitude_known(self) -> bool:
        """Whether the signal's millivolts mean anything."""
        return bool(self.record.metadata.get("amplitude") != "unknown")

    def person(self) -> Attributes:
        """Age and sex as :class:`Attributes`."""
        sex = self.sex if self.sex in ("female", "male") else None
        return Attributes(age=self.age, sex=sex)  # type: ignore[arg-type]
