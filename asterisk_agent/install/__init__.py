"""Installation on a PBX that exists: what would be done, doing it, and undoing it.

``plan`` looks at the machine and returns steps; ``carry_out`` does them, and keeps a ledger with a
copy of every file that it touches; ``removal`` undoes what the ledger says.
"""
