"""What a patch may not do."""

import pytest

from prunella.model.repair import Patch
from prunella.validate.policy import CHECKS, parse, policy_problems, signature_problems

BEFORE = """import os
import json as j

LIMIT = 3


@property
def other():
    return 1


def work(a, b=1, *rest, key=None, **more):
    assert a
    if b < 0:
        raise ValueError("negative")
    try:
        return a / b
    except ZeroDivisionError:
        raise RuntimeError("zero") from None


async def wait(x):
    return x
"""


def patch(old: str, new: str, qualname: str = "work", before: str = BEFORE) -> Patch:
    assert before.count(old) == 1
    after = before.replace(old, new)
    return Patch(
        path="m.py", qualname=qualname, before=before.encode(), after=after.encode(), diff=""
    )


def problems(old: str, new: str, **kwargs: str) -> list[str]:
    edit = parse(patch(old, new, **kwargs))
    return signature_problems(edit) + policy_problems(edit)


FINE = [
    ("return a / b", "return a / b if b else 0.0"),
    ("import os\n", "import os\nimport math\n"),
    ("    assert a\n", "    assert a\n    import math\n    math.floor(a)\n"),
    ("    assert a\n", "    assert a\n    if b is None:\n        return None\n"),
    ("    except ZeroDivisionError:", "    except (ZeroDivisionError, TypeError):"),
    ('raise ValueError("negative")', 'raise ValueError(f"negative: {b}")'),
    ("    assert a\n", "    assert a\n    path = os.path.join('a', 'b')\n"),
    ("    assert a\n", "    assert a\n    with open('f') as f:\n        f.read()\n"),
    (
        "    assert a\n",
        "    assert a\n    try:\n        b()\n    except Exception:\n        raise\n",
    ),
]

REFUSED = [
    # name, old, new, a word of the problem
    ("scope", "LIMIT = 3", "LIMIT = 4", "more than"),
    ("other function", "    return 1\n", "    return 2\n", "more than"),
    ("import removed", "import os\n", "", "import"),
    ("parameter", "def work(a, b=1,", "def work(a, b=2,", "parameters"),
    ("new decorator", "def work(", "@property\ndef work(", "decorators"),
    ("async", "def work(", "async def work(", "coroutine"),
    ("annotation", "**more):", "**more) -> int:", "annotation"),
    ("generator", "return a / b\n", "yield a / b\n", "generator"),
    ("system", "    assert a\n", "    assert a\n    os.system('x')\n", "os.system"),
    ("alias", "import os\n", "import os\nimport subprocess as s\n", ""),
    ("eval", "return a / b", "return eval('a / b')", "eval"),
    ("dynamic import", "return a / b", "return __import__('os')", "__import__"),
    ("local import", "    assert a\n", "    assert a\n    import socket\n", "socket"),
    ("from import", "    assert a\n", "    assert a\n    from shutil import rmtree\n", "rmtree"),
    ("unlink", "    assert a\n", "    assert a\n    a.unlink()\n", "unlink"),
    ("write", "    assert a\n", "    assert a\n    open('f', 'w')\n", "open"),
    ("write mode", "    assert a\n", "    assert a\n    open('f', mode='ab')\n", "open"),
    ("bare except", "    except ZeroDivisionError:\n        raise RuntimeError(\"zero\") from None",
     "    except:\n        return None", "bare except"),
    ("broad except", "return a / b\n    except ZeroDivisionError:",
     "return a / b\n    except Exception:\n        return 0\n    except ZeroDivisionError:",
     "except Exception"),
    ("tuple except", "    except ZeroDivisionError:\n        raise RuntimeError(\"zero\") from None",
     "    except (KeyError, Exception):\n        return 0", "except Exception"),
    ("suppress", "    assert a\n",
     "    assert a\n    with contextlib.suppress(Exception):\n        b()\n", "suppress"),
    ("finally", "raise RuntimeError(\"zero\") from None",
     "raise RuntimeError(\"zero\") from None\n    finally:\n        return 1", "finally"),
    ("assert removed", "    assert a\n", "", "assert a"),
    ("raise removed", '        raise ValueError("negative")\n', "        b = 0\n", "ValueError"),
    ("global", "    assert a\n", "    assert a\n    global LIMIT\n    LIMIT = 1\n", "global"),
    ("dunder", "    assert a\n", "    assert a\n    a.__class__.__subclasses__()\n", "__subclasses__"),
    ("globals", "    assert a\n", "    assert a\n    globals()['os']\n", "globals"),
    ("detects replay", "    assert a\n",
     "    assert a\n    if os.environ.get('PRUNELLA_REPLAY'):\n        return 1\n", "Prunella"),
    ("hidden eval", "    assert a\n", "    assert a\n    [eval('1') for eval in [eval]]\n", "eval"),
    ("default eval", "    assert a\n",
     "    assert a\n    def g(x, eval=eval):\n        return eval(x)\n", "eval"),
    ("size", "    assert a\n", "    assert a\n" + "    a = a\n" * 150, "lines"),
    ("exit", "    assert a\n", "    assert a\n    os._exit(0)\n", "os._exit"),
    ("executable", "    assert a\n", "    assert a\n    os.execv('/bin/sh', [])\n", "os.execv"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), FINE)
def test_ordinary_repairs_pass(old: str, new: str) -> None:
    """A guard, a default, a helper import or a better message is no breach."""
    assert problems(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "word"), [item[1:] for item in REFUSED if item[3]], ids=lambda text: text[:20]
)
def test_what_no_patch_may_do_is_named(old: str, new: str, word: str) -> None:
    """Each breach is refused with words that name it."""
    found = problems(old, new)
    assert any(word in problem for problem in found), found


def test_a_renamed_module_is_seen_through() -> None:
    """Giving a dangerous module another name doesn't hide it."""
    after = BEFORE.replace("import os\n", "import os\nimport subprocess as s\n").replace(
        "    assert a\n", "    assert a\n    s.run(['x'])\n"
    )
    edit = parse(
        Patch(path="m.py", qualname="work", before=BEFORE.encode(), after=after.encode(), diff="")
    )
    assert any("subprocess.run" in problem for problem in policy_problems(edit))


def test_a_variable_may_be_called_like_a_module() -> None:
    """`code`, `signal` and `input` are ordinary names until they are imported."""
    before = "def f(code, input):\n    return code[input]\n"
    new = "signal = code.get(input)\n    return signal or code"
    assert problems("return code[input]", new, qualname="f", before=before) == []
    status = "from http import HTTPStatus\n\n\ndef f(code, input):\n    return HTTPStatus.OK\n"
    edit = parse(
        Patch(path="m.py", qualname="f", before=before.encode(), after=status.encode(), diff="")
    )
    assert policy_problems(edit) == []


def test_what_the_function_did_before_stays_allowed() -> None:
    """Only what a patch brings in counts."""
    before = "import os\n\n\ndef f(x):\n    os.system(x)\n    return 1 / x\n"
    assert problems("return 1 / x", "return 1 / x if x else 0", qualname="f", before=before) == []


def test_a_function_that_disappears_is_a_problem() -> None:
    """A patch can't rename the function away."""
    assert problems("def work(", "def worked(") != []


def test_a_method_is_found_by_its_qualified_name() -> None:
    """Two classes with a method of one name aren't confused."""
    before = "class A:\n    def f(self):\n        return 1\n\n\nclass B:\n    def f(self):\n        return 2\n"
    assert problems("return 2", "return 3", qualname="B.f", before=before) == []
    assert problems("return 1", "return 3", qualname="B.f", before=before) != []


def test_every_check_says_what_it_stands_for() -> None:
    """Each rule has a sentence of its own."""
    assert all(check.__doc__ for check in CHECKS)
