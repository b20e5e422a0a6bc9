"""The rules R1 to R3 as code: exact contractions and correctly rounded functions."""
