"""The program that runs inside the sandbox: it replays recorded calls and reports what they did.

It is started by the interpreter of the program that failed and needs the standard library,
`prunella.codec` and `prunella.model` only. `runner.main` reads one job (JSON, `job.read`) from
standard input and writes one line an outcome to a private file descriptor. Three kinds of process:
the supervisor, which runs nothing of the project; below it one process a variant, which imports the
project with the variant's overlay; below that one process a call, so that no call sees what another
one left behind.
"""
