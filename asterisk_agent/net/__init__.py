"""Sockets: accept, read, feed, act."""
