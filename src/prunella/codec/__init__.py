"""Bounded, safe, type-faithful encoding of values into trees, and back."""
