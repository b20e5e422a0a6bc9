"""Data: datasets, their records and who gave them."""
