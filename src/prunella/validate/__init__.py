"""Decides what replayed calls and tests show about a candidate patch. Pure logic over the ports."""
