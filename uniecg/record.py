"""The 12-lead ECG as an array with names: `Record`, the order of `LEADS`, the algebra of the limb leads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError

__all__ = ["LEADS", "Record", "derive_limb_leads"]

LEADS: tuple[str, ...] = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

_CANONICAL = {name.lower(): name for name in LEADS}

# Each limb lead as weights on (I, II): Kligfield et al. 2007, Circulation 115:1306-1324.
_LIMB_WEIGHTS = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}

# Who the patient is has no place in a record: these keys of the metadata are dropped.
_IDENTITY = re.compile(r"(patient|first|last|family|given)?[ _]?(name|id)|patient|mrn|address|.*birth.*")

_PREFIXES = ("lead ", "lead_", "lead-", "ecg ", "ecg_", "ecg-")


def canonical_lead(name: str) -> str | None:
    """Return the standard spelling of a lead name (``"avr"`` -> ``"aVR"``), None for any other name."""
    key = name.strip().lower()
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return _CANONICAL.get(key.strip())


def derive_limb_leads(eight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Complete eight independent leads to twelve.

    Parameters
    ----------
    eight : ndarray, shape (..., 8, T)
        Rows I, II, V1 to V6, in any unit.

    Returns
    -------
    ndarray, shape (..., 12, T)
        Rows in the order of `LEADS`, same dtype: III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2,
        aVF = II - I / 2.

    Raises
    ------
    InputError
        If there are not eight rows.

    References
    ----------
    Kligfield P. et al. Recommendations for the standardization and interpretation of the electrocardiogram,
    part I. Circulation 2007;115:1306-1324.
    """
    if eight.ndim < 2 or eight.shape[-2] != 8:
        raise InputError(f"expected the 8 rows I, II, V1-V6, got an array of shape {eight.shape}")
    lead_i, lead_ii = eight[..., 0, :], eight[..., 1, :]
    limb = np.stack(
        [
            lead_i,
            lead_ii,
            lead_ii - lead_i,
            -(lead_i + lead_ii) / 2,
            lead_i - lead_ii / 2,
            lead_ii - lead_i / 2,
        ],
        axis=-2,
    )
    twelve = np.concatenate([limb, eight[..., 2:, :]], axis=-2)
    return twelve.astype(eight.dtype, copy=False)


class Record:
    """One ECG: twelve named leads in millivolt at one sampling rate.

    Leads are put in the order of `LEADS` by name; a lead that is not given is a row of NaN.

    Parameters
    ----------
    signal : array_like, shape (n_leads, n_samples)
        Potentials in mV, one row a lead.
    sampling_rate : float
        Samples a second (Hz).
    leads : sequence of str, optional
        Name of each row, any case ("avr", "Lead I"). Rows with other names (VX, V4R, ...) are left out and
        named in ``metadata["other_leads"]``.
    metadata : mapping, optional
        ``age``, ``sex``, ``source``, ``licence`` and the like. Names and numbers of patients are not kept.

    Attributes
    ----------
    signal : ndarray, shape (12, n_samples), float32
        Potentials in mV, rows in the order of `LEADS`.
    sampling_rate : float
        Hz.
    metadata : dict
        Copy of the metadata given.

    Raises
    ------
    InputError
        If the array, the lead names or the sampling rate do not make an ECG.

    Examples
    --------
    >>> import numpy as np
    >>> record = Record(np.zeros((2, 5000)), 500, leads=["II", "v1"])
    >>> record
    Record(2 leads: II V1, 10.00 s at 500 Hz)
    >>> record["V1"].shape
    (5000,)
    """

    leads = LEADS

    def __init__(
        self,
        signal: npt.ArrayLike,
        sampling_rate: float,
        leads: Sequence[str] = LEADS,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        rows = _as_rows(signal, leads)
        self.metadata: dict[str, Any] = {
            key: value for key, value in (metadata or {}).items() if not _IDENTITY.fullmatch(key.lower())
        }
        self.sampling_rate = _as_rate(sampling_rate)
        self.signal: npt.NDArray[np.float32] = np.full((len(LEADS), rows.shape[1]), np.nan, np.float32)
        seen: set[str] = set()
        other: list[str] = []
        for name, row in zip(leads, rows, strict=True):
            lead = canonical_lead(name)
            if lead is None:
                other.append(name)
                continue
            if lead in seen:
                raise InputError(f"lead {lead} is given twice; keep one of the two")
            seen.add(lead)
            self.signal[LEADS.index(lead)] = row
        if not seen:
            raise InputError(
                f"no lead is named like one of {', '.join(LEADS)}; the names are {', '.join(leads) or 'none'}"
            )
        if other:
            self.metadata["other_leads"] = other

    @property
    def available_leads(self) -> tuple[str, ...]:
        """Names of the leads that hold at least one value."""
        return tuple(name for name, row in zip(LEADS, self.signal, strict=True) if not np.isnan(row).all())

    @property
    def n_samples(self) -> int:
        """Number of samples of each lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sampling_rate

    def __getitem__(self, lead: str) -> npt.NDArray[np.float32]:
        """Return one lead, shape (n_samples,), in mV."""
        name = canonical_lead(lead)
        if name is None:
            raise InputError(f"there is no lead {lead!r}; the leads are {', '.join(LEADS)}")
        row: npt.NDArray[np.float32] = self.signal[LEADS.index(name)]
        return row

    def resample(self, sampling_rate: float) -> Record:
        """Return the record at another sampling rate, of the same duration to half a sample.

        Parameters
        ----------
        sampling_rate : float
            Wanted rate in Hz.

        Returns
        -------
        Record
            New record; gaps (NaN) stay gaps.
        """
        sampling_rate = _as_rate(sampling_rate)
        if sampling_rate == self.sampling_rate:
            return Record(self.signal, self.sampling_rate, metadata=self.metadata)
        n_samples = max(1, round(self.duration_s * sampling_rate))
        signal = np.full((len(LEADS), n_samples), np.nan, np.float32)
        present = ~np.isnan(self.signal).all(axis=1)
        signal[present] = _resample(self.signal[present], self.sampling_rate, sampling_rate, n_samples)
        return Record(signal, sampling_rate, metadata=self.metadata)

    def crop(self, start_s: float, end_s: float) -> Record:
        """Return the part from ``start_s`` to ``end_s`` (seconds), cut at the ends of the record."""
        start = max(0, round(start_s * self.sampling_rate))
        end = min(self.n_samples, round(end_s * self.sampling_rate))
        if start >= end:
            raise InputError(
                f"nothing lies between {start_s:g} s and {end_s:g} s; the record lasts {self.duration_s:g} s"
            )
        return Record(self.signal[:, start:end], self.sampling_rate, metadata=self.metadata)

    def select(self, leads: Sequence[str]) -> Record:
        """Return a record that holds only the leads named; the others become NaN."""
        return Record(
            np.stack([self[lead] for lead in leads]) if leads else np.empty((0, self.n_samples)),
            self.sampling_rate,
            leads,
            self.metadata,
        )

    def derive_limb_leads(self) -> Record:
        """Return a record in which every limb lead that follows from two others is filled.

        Leads that are present are kept as they are.

        Raises
        ------
        InputError
            If fewer than two limb leads are present.
        """
        present = [lead for lead in self.available_leads if lead in _LIMB_WEIGHTS]
        if len(present) < 2:
            raise InputError(
                f"two limb leads are needed to derive the others; the record has {len(present)} of them"
            )
        # Any two limb leads fix the frontal plane. LEADS has I and II first, so they are used where present.
        pair = present[:2]
        rows = np.stack([self[lead] for lead in pair]).astype(np.float64)
        basis = np.linalg.solve(np.array([_LIMB_WEIGHTS[lead] for lead in pair]), rows)
        signal = self.signal.copy()
        for lead, weight in _LIMB_WEIGHTS.items():
            if lead not in present:
                signal[LEADS.index(lead)] = np.asarray(weight) @ basis
        return Record(signal, self.sampling_rate, metadata=self.metadata)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (
            self.sampling_rate == other.sampling_rate
            and np.array_equal(self.signal, other.signal, equal_nan=True)
            and self.metadata == other.metadata
        )

    __hash__ = None  # type: ignore[assignment]  # content may change, as with arrays

    def __repr__(self) -> str:
        leads = self.available_leads
        names = "" if len(leads) == len(LEADS) else f": {' '.join(leads)}"
        count = f"{len(leads)} lead{'' if len(leads) == 1 else 's'}"
        return f"Record({count}{names}, {self.duration_s:.2f} s at {self.sampling_rate:g} Hz)"


def _as_rate(sampling_rate: float) -> float:
    try:
        rate = float(sampling_rate)
    except (TypeError, ValueError):
        rate = float("nan")
    if not (np.isfinite(rate) and rate > 0):
        raise InputError(f"sampling_rate must be a positive number of Hz, got {sampling_rate!r}")
    return rate


def _as_rows(signal: npt.ArrayLike, leads: Sequence[str]) -> npt.NDArray[np.float32]:
    """Check the array of a record and return it as float32 with infinities as gaps."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes a gap below
            rows = np.array(signal, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"the signal must be an array of numbers in mV: {error}") from error
    if rows.ndim != 2:
        raise InputError(f"the signal must have the shape (n_leads, n_samples), got {rows.shape}")
    if isinstance(leads, str) or len(leads) != rows.shape[0]:
        hint = "; the array looks transposed" if rows.shape[1] in (1, len(LEADS)) else ""
        n_names = 1 if isinstance(leads, str) else len(leads)
        raise InputError(f"{n_names} lead names for {rows.shape[0]} rows of signal; name each row{hint}")
    if rows.shape[1] == 0:
        raise InputError("the signal is empty (0 samples)")
    rows[~np.isfinite(rows)] = np.nan
    return rows


def _resample(
    rows: npt.NDArray[np.float32], old_rate: float, new_rate: float, n_samples: int
) -> npt.NDArray[np.float32]:
    """Resample rows that each hold at least one value; gaps are bridged for the filter and restored."""
    from scipy.signal import resample_poly  # scipy is loaded only where it is used: import uniecg stays fast

    gaps = np.isnan(rows)
    filled = rows.astype(np.float64)
    time = np.arange(rows.shape[1])
    for row, gap in zip(filled, gaps, strict=True):
        row[gap] = np.interp(time[gap], time[~gap], row[~gap])
    ratio = Fraction(new_rate / old_rate).limit_denominator(1000)
    # padtype="line" keeps baseline offset and drift from ringing at the ends.
    resampled = resample_poly(filled, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    if resampled.shape[1] < n_samples:
        resampled = np.pad(resampled, ((0, 0), (0, n_samples - resampled.shape[1])), mode="edge")
    resampled = resampled[:, :n_samples]
    nearest = np.minimum((np.arange(n_samples) * old_rate / new_rate).round().astype(int), rows.shape[1] - 1)
    resampled[gaps[:, nearest]] = np.nan
    result: npt.NDArray[np.float32] = resampled.astype(np.float32)
    return result
