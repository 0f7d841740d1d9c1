"""The pipeline: plan, lower, analyse, run rules, report. No formatting, no argument parsing.

Its modules are imported one by one: listing the rules must not load libclang.
"""
