"""Figures of `dreamactor`, each measured against truth or against a named peer in the same run."""
