"""Files that other people's programs pickled, read as data: nothing in them is ever executed."""

from dreamactor_signals.foreign.files import read_foreign

__all__ = ["read_foreign"]
