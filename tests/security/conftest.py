"""What tests of threats may ask for."""

from tests.bot.conftest import folder

__all__ = ["folder"]
