"""Tractograms in, pictures out, under a memory cap.

Importing this package loads nothing heavy: no numpy, no nibabel, no VTK.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
