"""How it is drawn: chunks of streamlines are accumulated into views, then shaded, smoothed and labelled.

Knows nothing of processes. VTK is imported by ``canvas``, ``buffers`` and ``surface`` alone.
"""
