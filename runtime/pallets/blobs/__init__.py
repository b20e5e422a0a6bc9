"""Blobs: content that every validator holds."""

from runtime.pallets.blobs.pallet import Blobs, BlobsConfig, BlobStatus

__all__ = ["BlobStatus", "Blobs", "BlobsConfig"]
