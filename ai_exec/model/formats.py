"""What files that are no ONNX models mostly are, by their first bytes, for the reason to say so."""

from typing import Final

FORMATS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "a zip archive, perhaps of PyTorch or Keras: export the model to ONNX"),
    (0, b"\x89HDF", "an HDF5 file, perhaps of Keras: export the model to ONNX"),
    (0, b"\x80\x02", "a pickle, perhaps of PyTorch: export the model to ONNX"),
    (4, b"TFL3", "a TensorFlow Lite model: export it to ONNX"),
    (4, b"ORTM", "onnxruntime's own format: take the .onnx file that it was made of"),
    (0, b"GGUF", "a GGUF file: export the model to ONNX"),
    (8, b'{"', "a safetensors file, which has weights and no model: export the model to ONNX"),
    (0, b"\x1f\x8b", "compressed by gzip: unpack it"),
    (0, b"version https://git-lfs", "a pointer of Git LFS: fetch the file that it stands for"),
    (0, b"<", "a web page or XML: fetch the model itself"),
)
"""Offset, bytes there, and what that means."""


def guessed(content: bytes) -> str:
    """Say what a file that cannot be read seems to be; nothing if that is not clear."""
    for offset, mark, meaning in FORMATS:
        if content[offset : offset + len(mark)] == mark:
            return f"; it looks like {meaning}"
    return ""
