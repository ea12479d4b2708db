"""A voice agent that answers an Asterisk PBX's numbers, and always has a way to a person."""

__version__ = "0.1.0"
