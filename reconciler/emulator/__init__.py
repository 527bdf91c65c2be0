"""Entra and Graph in one process, as strict as the real ones: for the demo, the tests and the benchmarks."""
