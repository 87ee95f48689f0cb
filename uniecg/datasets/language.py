"""The language of a report: English, German or Swedish, the languages of PTB-XL and of machines' reports."""

from __future__ import annotations

import re

from uniecg.text.statements import find_statements

# Words that one of the languages uses in ECG reports and the others do not; parts of words for German and Swedish,
# which write compounds. PTB-XL's German comes with and without umlauts.
_WORDS = {
    "en": re.compile(
        r"\b(?:rhythm|normal ecg|ecg|sinus (?:brady|tachy)cardia|the|with|and|of|block|left|right|axis|wave|"
        r"waves|changes?|prolonged|possible|probabl[ey]|consider|infarct|infarction|abnormal\w*|otherwise|borderline|"
        r"hypertrophy|fibrillation|flutter|nonspecific|voltage|voltages|elevation|depression|deviation|early|"
        r"premature|complexes|pacemaker|paced|quality|interval|degree|unconfirmed|report|atrial|"
        r"ventricular|ischemia|ischaemia|myocardial|conduction|delay|tracing|trace|requested)\b"
    ),
    "de": re.compile(
        r"rhythmus|typ\b|lagetyp|normales|ekg|schenkel|infarkt|wand|hypertrophie|(?:ue|ü)ber|st(?:oe|ö)rung|verdacht|"
        r"\bv\.\s?a\.|\bnicht|\bkein|\bund\b|\bbei\b|\bmit\b|\boder\b|\bder\b|\bdie\b|kammer|vorhof|extrasystole|"
        r"flimmern|flattern|schrittmacher|blockierung|\blinks|\brechts|ver(?:ae|ä)nderung|senkung|hebung|"
        r"verl(?:ae|ä)ngert|unspezifisch|abnormal(?:e|er|es)\b|niedervoltage|isch(?:ae|ä)mi|erregung|myokard|"
        r"qrs-|st-strecke|t-welle|tachykardie|bradykardie|repolarisation|sonst|vergleich|alter\b|best(?:ae|ä)tigt|"
        r"steiltyp|horizontal|indifferent|av-block|\bgrades\b"
    ),
    "sv": re.compile(
        r"rytm\b|f(?:oe|ö|o)rmak|v(?:ae|ä)nster|v(?:ae|ä)nst|h(?:oe|ö)ger|grenblock|kammar|\boch\b|\bej\b|\bmed\b|"
        r"ischemi\b|sjuk|hj(?:ae|ä)rt|\bnormalt ekg|f(?:oe|ö)r(?:ae|ä)ndring|\btidigare\b|oregelbund|slag\b|\bingen\b|"
        r"s(?:ae|ä)nkning|f(?:oe|ö)rh(?:oe|ö)jning|takykardi\b|bradykardi\b|\bf\.?\s?(?:oe|ö)\b|hypertrofi|"
        r"f(?:oe|ö)rl(?:ae|ä)ngd|av-block|\bgrad\b|\butan\b|\bvid\b|\bstrax\b|\bkan\b|\bbero\b|\bp(?:aa|å)\b"
    ),
}


def report_language(text: str) -> str | None:
    """Language of a report.

    Parameters
    ----------
    text : str
        The report, in any letter case.

    Returns
    -------
    str or None
        ``"en"``, ``"de"`` or ``"sv"``; None where no word of the three is in it, nor an English name or
        abbreviation of a statement.
    """
    lower = text.lower()
    hits = {language: len(pattern.findall(lower)) for language, pattern in _WORDS.items()}
    best = max(hits, key=lambda language: hits[language])
    if hits[best]:
        return best
    return "en" if find_statements(text) else None
