"""Encoders of the control signals (paper 3.2): body and head maps, and the face."""
