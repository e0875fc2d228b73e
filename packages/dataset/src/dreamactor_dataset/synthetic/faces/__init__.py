"""Close-ups of faces for the face motion encoder: many people, each expression on several of them, exact truth."""
