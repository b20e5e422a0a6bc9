"""Operators by family; importing this registers those of every file here."""

from importlib import import_module
from pkgutil import iter_modules

__all__ = [module.name for module in iter_modules(__path__)]

for family in __all__:
    import_module(f"{__name__}.{family}")
