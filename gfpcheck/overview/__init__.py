"""What there is, rather than what is wrong: surveys of a tree, made of the facts that the analysis has.

Each survey is a plain structure that can be kept; finding it, writing it and comparing two of
it are modules of their own.
"""
