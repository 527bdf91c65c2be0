"""Titles of SKUs."""
