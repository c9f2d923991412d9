"""Code hosts: GitHub, GitLab, Gitea and Forgejo, each behind its own client.

`prunella.adapters.code_hosts.opening.open_host` chooses one; `remote.RemoteHost` is what they share.
"""
