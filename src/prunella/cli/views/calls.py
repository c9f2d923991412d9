"""Recorded calls that returned."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prunella.cli.views.parts import facts, values, words
from prunella.codec import entries, render
from prunella.model.clock import now
from prunella.model.records import Call
from prunella.model.tree import Tree
from prunella.model.wording import ago, one_line
from prunella.ports import KeptCall

#: Characters of the line that inputs, and result, take in the table.
_SHORT_CHARS = 100


def show_calls(console: Console, found: Sequence[KeptCall]) -> None:
    """Print one entry a call: function, inputs and result, when, and whether it is golden."""
    if not found:
        console.print("No recorded calls: nothing that is asked for has returned under @heal.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True, style="cyan")
    table.add_column("call and result", overflow="fold")
    table.add_column("when", no_wrap=True)
    table.add_column("", no_wrap=True)
    moment = now()
    for kept in found:
        call = kept.call
        table.add_row(
            words(call.call_id),
            Text.assemble(_short(call), "\n", ("→ ", "dim"), _value(call.result)),
            ago(call.started_at, moment),
            Text("golden", "yellow") if kept.golden_at else Text(""),
        )
    console.print(table)
    console.print(
        Text("In full: prunella calls show ID. To judge by: prunella calls golden ID", "dim")
    )


def show_kept_call(console: Console, kept: KeptCall) -> None:
    """Print everything that is kept about a call."""
    call, moment = kept.call, now()
    head = Text.assemble((one_line(call.call_id), "bold cyan"), f"  {one_line(call.site_id)}")
    if kept.golden_at:
        head.append("  golden", "yellow")
    console.print(head)
    rows = [
        ("when", Text(f"{ago(call.started_at, moment)}, took {call.duration_us / 1000:,.3f} ms")),
        ("result", words(render(call.result, max_chars=1000))),
    ]
    if kept.golden_at:
        rows.append(("golden", Text(f"since {ago(kept.golden_at, moment)}")))
    if call.parent_id:
        rows.append(("made by", words(call.parent_id)))
    if not call.complete:
        rows.append(("replay", Text("not possible: inputs or result are not whole", "yellow")))
    console.print(facts(rows))
    console.print(Text("  inputs", "dim"))
    console.print(values(call.inputs, indent=4))


def show_marked(console: Console, marked: Sequence[KeptCall]) -> None:
    """Print what each call is from now on."""
    for kept in marked:
        call = kept.call
        line = Text.assemble((one_line(call.call_id), "cyan"), " is ")
        line.append("golden" if kept.golden_at else "an ordinary call again")
        line.append(f": {_short(call)} → {_value(call.result)}", "dim")
        console.print(line)
        if kept.golden_at and not call.complete:
            console.print(
                Text(
                    "  It is kept, but can't be replayed: inputs or result are not whole", "yellow"
                )
            )


def _short(call: Call) -> str:
    inputs = ", ".join(
        f"{name}={render(value, max_chars=40)}" for name, value in entries(call.inputs)
    )
    return one_line(f"{call.site_id}({one_line(inputs, _SHORT_CHARS)})", 300)


def _value(tree: Tree) -> str:
    return one_line(render(tree, max_chars=_SHORT_CHARS), _SHORT_CHARS)
