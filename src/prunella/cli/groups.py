"""Groups of commands."""

import click


class ListByDefault(click.Group):
    """A group whose ``list`` command is meant where no other is named."""

    default_command = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        wants_help = any(item in ctx.help_option_names for item in args[:1])
        if not wants_help and (not args or args[0].startswith("-")):
            args = [self.default_command, *args]
        return super().parse_args(ctx, args)


class StatusByDefault(ListByDefault):
    """A group whose ``status`` command is meant where no other is named."""

    default_command = "status"
