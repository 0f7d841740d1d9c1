"""Recall by mutation: real, correct allocation sites are made hazardous one at a time; how many does gfpcheck report?

What makes a site hazardous is decided by an oracle that reads the text alone and shares no code and no data with
gfpcheck, lest it measure itself. `python -m mutation --help`, run by `make mutation`, says how to use it.
"""
