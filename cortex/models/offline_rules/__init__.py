"""Rewrites of Python source that keep formatting and comments, one module per linter rule.

Each takes a parsed `Module` and the findings of one rule, and answers with edits of the text and
with what it will not do, and why. They are pure: text in, text out. A rewrite that cannot be shown
to be safe from the source alone is refused; the reason names what could go wrong.
"""
