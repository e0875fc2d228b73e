"""What people wear: the outfit as drawn, and the meshes made of it."""
