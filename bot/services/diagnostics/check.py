"""The result of one check of the configuration; `footnote doctor` prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, and what mends it (empty when nothing needs mending)."""

    check: str
    ok: bool
    detail: str
    mend: str = ""
