"""The SQL of training, nothing else.

Whoever puts somebody on a shift, or takes somebody off, locks the shifts first and then the members, each in the order
of their ids; what concerns members alone locks only them. So nobody waits in a circle.
"""
