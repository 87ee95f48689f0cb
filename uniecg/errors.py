"""The exceptions of UniECG.

::

    UniECGError                              everything UniECG raises on purpose
    ├── InputError (ValueError)              a file, argument or signal that cannot be used
    │   └── FormatError                      a file that is not readable as any known format
    └── MissingDependencyError (ImportError) an optional package is absent

Each message is one line that names the file, the argument or the package and says what to do.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["FormatError", "InputError", "MissingDependencyError", "UniECGError", "require"]


class UniECGError(Exception):
    """Base of all exceptions that UniECG raises on purpose."""


class InputError(UniECGError, ValueError):
    """A file, an argument or a signal cannot be used; the message is one line and says what to do."""


class FormatError(InputError):
    """A file is damaged or of no known format."""


class MissingDependencyError(UniECGError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""


def require(package: str, extra: str) -> ModuleType:
    """Import an optional package or say how to install it.

    Parameters
    ----------
    package : str
        Name to import, for example ``"fastapi"``.
    extra : str
        Extra of the distribution that brings the package, for example ``"server"``.

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        # A package that is present but misses one of its own parts is a different fault: show that one.
        if error.name != package.partition(".")[0] and error.name != package:
            raise
        raise MissingDependencyError(
            f"this needs {package}: pip install 'uniecg[{extra}]'", name=package
        ) from error
