"""What a check of the configuration found; `footnote doctor` prints it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, and what mends it (empty when nothing needs mending)."""

    check: str
    ok: bool
    detail: str
    mend: str = ""
