"""Inference: paid runs of models and their receipts."""
