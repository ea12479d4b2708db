"""The operator's pages, in a process of their own: see ``process``."""
