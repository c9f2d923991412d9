"""One module a command. At import they load click and nothing heavier: ``--help`` is instant."""
