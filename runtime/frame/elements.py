"""Element types of tensors by ONNX's numbers, and how many bytes one element has."""

from typing import Final

ELEMENT_BYTES: Final = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8}
"""1 float32, 2 uint8, 3 int8, 4 uint16, 5 int16, 6 int32, 7 int64, 9 bool, 10 float16, 11 float64,
12 uint32, 13 uint64."""
