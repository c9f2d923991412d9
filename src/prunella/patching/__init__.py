"""Text to `PatchResult`: edits of one function that keep every other byte."""
