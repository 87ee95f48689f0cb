"""Writing HL7 annotated ECG (aECG): the rhythm leads, nothing about who the patient is.

References
----------
HL7 v3 Annotated ECG, ANSI/HL7 V3 ECG, R1-2004. Brown B., Badilini F. HL7 aECG Implementation Guide, 2005.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..errors import InputError
from ..record import Record
from .metadata import written_leads

__all__ = ["write_aecg"]

_HL7 = "urn:hl7-org:v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MDC = {"codeSystem": "2.16.840.1.113883.6.24", "codeSystemName": "MDC"}
_ACT = {"codeSystem": "2.16.840.1.113883.5.4", "codeSystemName": "ActCode"}
_GENDER = {"female": "F", "male": "M"}
_MAX_MV = 1000.0


def write_aecg(record: Record, path: Path) -> Path:
    """Write the leads a record has as one rhythm series with a resolution of 1 uV.

    Parameters
    ----------
    record : Record
        The ECG; it must be free of gaps.
    path : Path
        File to write.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the record has gaps or is not in mV.
    """
    leads = written_leads(record, path, "aECG")
    peak = float(np.nanmax(np.abs(record.signal)))
    if peak > _MAX_MV:
        raise InputError(f"{path} was not written: {peak:.0f} mV is no ECG; is the signal in mV?")

    def add(parent: ElementTree.Element, names: str, **attributes: str) -> ElementTree.Element:
        for name in names.split("/"):
            parent = ElementTree.SubElement(parent, name)
        for key, value in attributes.items():
            parent.set(key.replace("xsi_", "xsi:"), value)
        return parent

    root = ElementTree.Element("AnnotatedECG", {"xmlns": _HL7, "xmlns:xsi": _XSI, "type": "Observation"})
    # Made from the samples: the same record always gives the same file.
    add(root, "id", root=str(uuid.uuid5(uuid.NAMESPACE_OID, record.signal.tobytes().hex())))
    add(root, "code", code="93000", codeSystem="2.16.840.1.113883.6.12", codeSystemName="CPT-4")
    subject = add(root, "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject")
    person = add(subject, "subjectDemographicPerson")
    sex = _GENDER.get(str(record.metadata.get("sex", "")))
    if sex:
        add(person, "administrativeGenderCode", code=sex, codeSystem="2.16.840.1.113883.5.1")
    if record.metadata.get("age") is not None:
        observation = add(root, "controlVariable/relatedObservation")
        loinc = {"codeSystem": "2.16.840.1.113883.6.1", "codeSystemName": "LOINC"}
        add(observation, "code", code="21612-7", **loinc)
        add(observation, "value", xsi_type="PQ", value=f"{float(record.metadata['age']):g}", unit="a")
    series = add(root, "component/series")
    add(series, "code", code="RHYTHM", **_ACT)
    sequences = add(series, "component/sequenceSet")
    sequence = add(sequences, "component/sequence")
    add(sequence, "code", code="TIME_RELATIVE", **_ACT)
    value = add(sequence, "value", xsi_type="GLIST_PQ")
    add(value, "head", value="0", unit="s")
    add(value, "increment", value=f"{1 / record.sampling_rate:.12g}", unit="s")
    for lead in leads:
        sequence = add(sequences, "component/sequence")
        add(sequence, "code", code=f"MDC_ECG_LEAD_{lead.upper()}", **_MDC)
        value = add(sequence, "value", xsi_type="SLIST_PQ")
        add(value, "origin", value="0", unit="uV")
        add(value, "scale", value="1", unit="uV")
        microvolt = np.round(record[lead].astype(np.float64) * 1000).astype(np.int64)
        add(value, "digits").text = " ".join(map(str, microvolt))
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
    return path
