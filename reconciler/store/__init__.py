"""State on disk: the SQLite state DB, the ledger in git, and the lock."""
