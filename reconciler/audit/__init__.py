"""What an auditor asks of a repository: are its reports those of its ledger, and who made both what they are."""
