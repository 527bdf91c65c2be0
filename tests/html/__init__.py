"""Tests of the report as an HTML page: its text, and how it behaves in a browser."""
