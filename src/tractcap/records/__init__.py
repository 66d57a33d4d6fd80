"""What stands beside the pictures: a typed class for each kind of file, with ``load``, ``write`` and its place.

Whatever lies in a record's place, ``load`` gives the record or raises :class:`tractcap.errors.RecordError`, whose
sentence says what is wrong with it; where there is nothing, ``FileNotFoundError``. Standard library alone.
"""
