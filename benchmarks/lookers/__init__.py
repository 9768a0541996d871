"""Programs that look as fast as they can, each with one client, in an interpreter that has that client.

They need nothing but the standard library and their client: a peer's environment has nothing else.
"""
