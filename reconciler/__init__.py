"""A declarative GitOps reconciler for Microsoft 365 license portals.

Portals are YAML files in a git repository; ``reconcile apply`` imports what each tenant owns and consumes,
recalculates compliance, and writes a deterministic report.
"""

__version__ = "0.1.0"
