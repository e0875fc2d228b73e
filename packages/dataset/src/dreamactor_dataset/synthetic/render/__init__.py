"""A small software renderer: z-buffer, deferred shading, shadows. No graphics library; equal input, equal pixels."""
