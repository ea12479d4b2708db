"""Speech recognition, language model, voice: one file per local implementation."""
