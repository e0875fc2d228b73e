"""What every room of dreamactor shares. Importing this package is cheap; its modules import what they need."""

__version__ = "0.1.0"
