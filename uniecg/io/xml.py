"""What the readers of XML files share: safe parsing and the name of the root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..errors import require
from .metadata import damaged

__all__ = ["parse_xml", "root_name"]

_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?P<name>[A-Za-z_][\w.-]*)")


def root_name(head: bytes) -> str | None:
    """Return the name of the root element from the start of a file, None if it does not look like XML."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", errors="ignore")
    else:
        text = head.decode("utf-8-sig", errors="ignore")
    text = text.lstrip()
    if not text.startswith("<"):
        return None
    match = _ROOT.search(_COMMENT.sub("", text))
    return match["name"] if match else None


def parse_xml(path: Path, kind: str) -> Any:
    """Parse an XML file into its root element; entities and external files are refused.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What it should be, for the message.

    Returns
    -------
    xml.etree.ElementTree.Element
        The root.

    Raises
    ------
    FormatError
        If it is not well-formed or declares entities.
    """
    etree = require("defusedxml.ElementTree", "formats")
    try:
        return etree.fromstring(path.read_bytes())
    except OSError:
        raise
    except Exception as error:  # ParseError, refused constructs, unknown encodings
        raise damaged(path, kind, error) from error
