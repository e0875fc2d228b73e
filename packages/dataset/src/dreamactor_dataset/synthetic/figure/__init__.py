"""One person who does not exist: who they are, their meshes, their paint, and how they are posed."""
