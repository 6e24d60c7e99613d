"""The models that agents think with, behind one port.

`port` says what a model is asked and what it answers; `choose` makes the one that a run works with.
A model only thinks: it touches no file of the repository, runs none of its code and publishes
nothing. What it sees is what its requests carry.
"""
