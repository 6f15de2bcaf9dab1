"""The checks of `footnote doctor`: of the machine, the settings, and everything that Footnote needs."""
