"""Benchmarks: the product against a bare loop, on pages that a process of its own has ready.

``make bench`` runs them; pytest does not collect them. ``docs/performance.md`` holds the last table.
"""
