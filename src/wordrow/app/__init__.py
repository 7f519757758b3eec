"""The `wordrow` command."""
