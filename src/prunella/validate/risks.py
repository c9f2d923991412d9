"""What in a function's syntax reaches out of the program, found by name."""

import ast
from collections.abc import Iterator

_NAMES = frozenset({"eval", "exec", "compile", "__import__", "breakpoint", "input", "exit", "quit"})
#: Whatever is taken from these modules.
_MODULES = frozenset(
    {
        "subprocess",
        "socket",
        "ssl",
        "http.client",
        "http.server",
        "urllib.request",
        "ftplib",
        "smtplib",
        "telnetlib",
        "poplib",
        "imaplib",
        "xmlrpc",
        "requests",
        "httpx",
        "httpx2",
        "aiohttp",
        "urllib3",
        "paramiko",
        "importlib",
        "imp",
        "runpy",
        "code",
        "codeop",
        "ctypes",
        "cffi",
        "pickle",
        "dill",
        "marshal",
        "shelve",
        "multiprocessing",
        "pty",
        "signal",
        "gc",
        "inspect",
        "webbrowser",
        "builtins",
    }
)
#: Of modules that are useful otherwise.
_MEMBERS = frozenset(
    {
        "os.system",
        "os.popen",
        "os.remove",
        "os.unlink",
        "os.rmdir",
        "os.removedirs",
        "os.rename",
        "os.replace",
        "os.kill",
        "os.killpg",
        "os.abort",
        "os._exit",
        "os.fork",
        "os.forkpty",
        "os.chmod",
        "os.chown",
        "os.truncate",
        "os.putenv",
        "os.unsetenv",
        "os.symlink",
        "os.link",
        "os.startfile",
        "shutil.rmtree",
        "shutil.move",
        "asyncio.open_connection",
        "asyncio.create_subprocess_exec",
        "asyncio.create_subprocess_shell",
        "sys.exit",
        "sys.setrecursionlimit",
        "sys.settrace",
        "sys.setprofile",
        "sys.modules",
        "sys._getframe",
    }
)
_PREFIXES = ("os.exec", "os.spawn", "os.posix_spawn")
#: Methods that delete or overwrite files on whatever they are called.
_METHODS = frozenset({"unlink", "rmdir", "rmtree", "write_text", "write_bytes"})
_DUNDERS_ALLOWED = frozenset(
    {"__name__", "__class__", "__doc__", "__init__", "__len__", "__file__"}
)


def dangerous(function: ast.AST, module: ast.Module) -> Iterator[str]:
    """Yield what `function` uses of processes, network, dynamic code, deletion and exit."""
    names = _imported(module)
    own = _parameters(function)
    for node in ast.walk(function):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (item for item in import_targets(node) if _is_dangerous(item))
        elif isinstance(node, (ast.Name, ast.Attribute)):
            path = _path(node, names)
            if isinstance(node, ast.Name) and node.id not in names:
                if node.id in _NAMES - own:
                    yield f"{node.id}()"
            elif path and _is_dangerous(path):
                yield path
            elif isinstance(node, ast.Attribute) and node.attr in _METHODS:
                yield f".{node.attr}()"
        if isinstance(node, ast.Call) and _opens_for_writing(node):
            yield "open() for writing"


def _parameters(function: ast.AST) -> set[str]:
    """Return the function's parameters: one may be called `input`, and no patch may add any."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return set()
    own = function.args
    return {item.arg for item in (*own.posonlyargs, *own.args, *own.kwonlyargs)}


def _is_dangerous(path: str) -> bool:
    parts = path.split(".")
    return (
        path in _MEMBERS
        or path.startswith(_PREFIXES)
        or any(".".join(parts[:count]) in _MODULES for count in (1, 2))
    )


def _opens_for_writing(call: ast.Call) -> bool:
    name = call.func
    called = name.id if isinstance(name, ast.Name) else getattr(name, "attr", "")
    if called != "open":
        return False
    modes = [*call.args[:2], *(item.value for item in call.keywords if item.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) <= 3
        and set(mode.value) & set("wax+")
        for mode in modes
    )


def reflective(function: ast.AST, module: ast.Module) -> Iterator[str]:
    """Yield what `function` uses to look or reach behind the language."""
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            if node.attr.endswith("__") and node.attr not in _DUNDERS_ALLOWED:
                yield node.attr
        elif isinstance(node, ast.Name):
            if node.id in ("globals", "locals", "vars", "setattr", "delattr", "__builtins__"):
                yield node.id
        elif isinstance(node, ast.Global):
            yield from (f"global {name}" for name in node.names)


def _imported(module: ast.Module) -> dict[str, str]:
    """Return what imported names mean, anywhere in the module: alias → dotted path."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def import_targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the dotted paths that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if node.module else []


def _path(node: ast.expr, names: dict[str, str]) -> str:
    """Return ``os.path.join`` for a name or an attribute of an imported name; else ``""``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    if node.id not in names:
        return node.id if not parts else ""
    return ".".join([names[node.id], *reversed(parts)])
