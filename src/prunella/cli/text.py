"""Words for people, made safe: what `prunella.pipeline.wording` has, for commands."""

from prunella.pipeline.wording import ago, block, one_line, plural, span

__all__ = ["ago", "block", "one_line", "plural", "span"]
