"""How results look to people: rich renderables from vocabulary types. All text in them is untrusted.

Every text goes through `rich.text.Text`, never through markup, and through `one_line` or `block`.
"""
