"""Ids to trained rows: layers, the graph that runs them, and the models over it."""
