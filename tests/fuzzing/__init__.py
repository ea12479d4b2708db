"""Fuzz targets: hostile bytes to everything that reads what it did not write.

``harness`` knows the targets, ``run`` and ``child`` let atheris look for inputs that break them,
``tests/test_fuzz.py`` replays those that were kept in ``tests/data/fuzz/``.
"""
