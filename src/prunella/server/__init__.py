"""The server: programs report to it, people look at it, and the healer works in it.

`prunella.server.app.create_app` puts it together. What a request may do stands in its `Access`;
what belongs to one project is reached through that project's `Workspace` alone.
"""
