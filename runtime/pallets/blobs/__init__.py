"""Blobs: content that every validator holds."""
