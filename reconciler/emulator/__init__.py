"""Entra and Graph in one process, as strict as the real ones: for the demo, the tests and the benchmarks.

``scenario`` says what a world is made of, ``scenarios`` holds the worlds that ship, ``app`` answers requests about
one of them, and ``serve`` puts that behind real sockets and TLS. What Entra and Graph refuse is refused here too.
What they accept and this does not imitate is refused with the code ``NotEmulated``, so that nobody mistakes a gap
of the emulator for a rule of Microsoft's.
"""
