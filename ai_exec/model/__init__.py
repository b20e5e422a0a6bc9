"""The bytes of an ONNX file: read under limits into plain values."""
