"""Body and head meshes in place of skeleton and sphere: the second alternative that the paper compares with."""

from dreamactor_signals.draw.mesh.mesh import draw_body_meshes, draw_head_meshes

__all__ = ["draw_body_meshes", "draw_head_meshes"]
