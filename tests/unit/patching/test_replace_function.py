"""`replace_function` as text before and text after."""

import textwrap

import pytest

from prunella.model.errors import PatchRefused, SourceUnavailable
from prunella.patching import replace_function


def edited(source: str, qualname: str, new: str, first_line: int | None = None) -> str:
    result = replace_function(source.encode(), qualname, new, first_line=first_line)
    compile(result.after, "after", "exec")
    return result.after.decode()


def refusal(source: str, qualname: str, new: str) -> str:
    with pytest.raises(PatchRefused) as caught:
        replace_function(source.encode(), qualname, new)
    return caught.value.reason


F = "def f(x):\n    return 1 / x\n"
NEW = "def f(x):\n    return 0\n"


def test_only_the_named_function_changes() -> None:
    """A constant, a helper and comments around the function stay as they are."""
    before = "LIMIT = 3  # why\n\ndef helper():\n    return LIMIT\n\n# about f\n" + F + "\n\nf(1)\n"
    after = edited(before, "f", NEW)
    assert after == before.replace("return 1 / x", "return 0")


def test_the_same_method_name_in_two_classes() -> None:
    """The qualified name decides which of two methods of one name is edited."""
    before = "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 2\n"
    after = edited(before, "B.f", "def f(self):\n    return 3\n")
    assert after == before.replace("return 2", "return 3")


def test_nested_and_top_level_functions_of_one_name() -> None:
    """An inner function is another function than the top-level one of its name."""
    before = "def g():\n    def f():\n        return 1\n    return f\n\ndef f():\n    return 2\n"
    assert edited(before, "f", "def f():\n    return 9\n") == before.replace("2", "9")
    assert edited(before, "g.<locals>.f", "def f():\n    return 9\n") == before.replace("1", "9")


GETTER_SETTER = textwrap.dedent(
    """\
    class A:
        @property
        def x(self):
            return self._x

        @x.setter
        def x(self, value):
            self._x = value
    """
)


def test_getter_and_setter_are_told_apart_by_their_first_line() -> None:
    """`co_firstlineno` chooses; without it the name is refused as ambiguous."""
    new = "@x.setter\ndef x(self, value):\n    self._x = value or 0\n"
    after = edited(GETTER_SETTER, "A.x", new, first_line=6)
    assert after == GETTER_SETTER.replace("self._x = value", "self._x = value or 0")
    with pytest.raises(SourceUnavailable, match="2 times, at lines 2, 6"):
        replace_function(GETTER_SETTER.encode(), "A.x", new)


def test_a_new_import_goes_behind_shebang_coding_docstring_and_future() -> None:
    """An added import stands with the file's imports, after everything that must come first."""
    head = '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n"""Doc."""\nfrom __future__ import annotations\n'
    after = edited(f"{head}\n{F}", "f", "import math\n" + NEW)
    assert after == f"{head}import math\n\n{NEW}"


def test_a_new_import_into_a_file_with_a_docstring_only() -> None:
    """It stands behind the docstring, apart from it by a blank line."""
    after = edited(f'"""Doc."""\n\n{F}', "f", "import math\n" + NEW)
    assert after == f'"""Doc."""\n\nimport math\n\n{NEW}'


def test_a_new_import_into_a_file_with_a_shebang_only() -> None:
    """It stands behind the shebang and before a comment that belongs to the code below."""
    after = edited(f"#!/usr/bin/env python\n# about f\n{F}", "f", "import math\n" + NEW)
    assert after == f"#!/usr/bin/env python\n\nimport math\n\n# about f\n{NEW}"


def test_an_import_in_a_comment_or_string_does_not_count() -> None:
    """`import re` in a comment imports nothing."""
    before = f'# import re\nX = """\nimport re\n"""\n{F}'
    assert edited(before, "f", "import re\n" + NEW).startswith("import re\n\n# import re\n")


@pytest.mark.parametrize(
    "imports",
    [
        "import re\n",
        "import os, re\n",
        "try:\n    import re\nexcept ImportError:\n    re = None\n",
        "if True:\n    import re\n",
    ],
)
def test_an_import_that_is_there_is_not_added_again(imports: str) -> None:
    """Imports count wherever the module executes them."""
    result = replace_function((imports + F).encode(), "f", "import re\n" + NEW)
    assert result.added_imports == ()
    assert result.after.decode() == imports + NEW


def test_parenthesised_imports_count() -> None:
    """A name imported over several lines is imported."""
    imports = "from math import (\n    floor,\n    ceil,  # up\n)\n"
    result = replace_function((imports + F).encode(), "f", "from math import ceil, sqrt\n" + NEW)
    assert result.added_imports == ("from math import sqrt",)
    assert result.after.decode() == imports + "from math import sqrt\n" + NEW


def test_an_import_for_type_checkers_does_not_count() -> None:
    """What runs under TYPE_CHECKING isn't there at run time."""
    before = f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import re\n{F}"
    result = replace_function(before.encode(), "f", "import re\n" + NEW)
    assert result.added_imports == ("import re",)


def test_an_import_never_splits_a_statement() -> None:
    """A statement that begins on the last import's line and goes on below stays whole."""
    before = f'import os; X = """\ntext\n"""\n{F}'
    after = edited(before, "f", "import re\n" + NEW)
    assert after == f'import os; X = """\ntext\n"""\nimport re\n{NEW}'


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_line_breaks_become_those_of_the_file(newline: str) -> None:
    """New text and new imports end their lines as the file does."""
    before = f"import os\n\n{F}\nX = 1\n".replace("\n", newline)
    after = replace_function(before.encode(), "f", "import re\n" + NEW).after
    assert after == f"import os\nimport re\n\n{NEW}\nX = 1\n".replace("\n", newline).encode()


def test_tabs_stay_tabs() -> None:
    """New text that steps by four spaces is written in the steps of its place."""
    before = "class A:\n\tdef f(self, x):\n\t\treturn 1 / x\n"
    new = "def f(self, x):\n    if not x:\n        return 0\n    return 1 / x\n"
    expected = "class A:\n\tdef f(self, x):\n\t\tif not x:\n\t\t\treturn 0\n\t\treturn 1 / x\n"
    assert edited(before, "A.f", new) == expected


def test_multi_line_strings_of_the_new_text_stay() -> None:
    """Indentation is adapted, the contents of strings are not."""
    before = "class A:\n    def f(self):\n        return 1\n"
    new = 'def f(self):\n    text = """\nleft\n  two\n"""\n    return (text,\n            2)\n'
    after = edited(before, "A.f", new)
    assert '"""\nleft\n  two\n"""\n' in after
    assert after.endswith("        return (text,\n                2)\n")


def test_multi_line_f_strings_stay() -> None:
    """An f-string over several lines keeps its contents in every version of Python."""
    before = "class A:\n    def f(self):\n        return 1\n"
    new = 'def f(self):\n    return f"""\nleft {self!r}\n  two\n"""\n'
    assert 'f"""\nleft {self!r}\n  two\n"""\n' in edited(before, "A.f", new)


def test_a_dedented_docstring_is_no_edit() -> None:
    """A docstring that differs in its indentation only keeps that of the file."""
    before = 'class A:\n    def f(self):\n        """One.\n\n        Two.\n        """\n        return 1\n'
    new = 'def f(self):\n    """One.\n\n    Two.\n    """\n    return 2\n'
    assert edited(before, "A.f", new) == before.replace("return 1", "return 2")


def test_a_method_cut_out_at_its_column() -> None:
    """Text whose first line lost its indentation is read as it was meant."""
    before = "class A:\n    @staticmethod\n    def f(x):\n        return 1\n"
    new = "@staticmethod\n    def f(x):\n        return 2"
    assert edited(before, "A.f", new) == before.replace("return 1", "return 2")


def test_a_class_header_around_a_method_is_taken_off() -> None:
    """A method may come in its class."""
    before = "class A:\n    y = 1\n\n    def f(self):\n        return 1\n"
    new = "class A:\n    def f(self):\n        return 2\n"
    assert edited(before, "A.f", new) == before.replace("return 1", "return 2")


def test_decorators_and_comments_in_the_function_are_replaced_with_it() -> None:
    """The function reaches from its first decorator to the end of its last line."""
    before = "@(\n    staticmethod\n)\ndef f(x):  # old\n    return 1  # old\n# behind\n"
    new = "@(\n    staticmethod\n)\ndef f(x):\n    return 2  # new\n"
    assert edited(before, "f", new) == new + "# behind\n"


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("@other\ndef f(x):\n    return 0\n", "decorators"),
        ("def f(x):\n    return 0\n", "decorators"),
        ("@deco\ndef g(x):\n    return 0\n", "name"),
        ("@deco\ndef f(x, y=1):\n    return 0\n", "signature"),
        ("@deco\ndef f(x: int):\n    return 0\n", "signature"),
        ("@deco\ndef f(x) -> int:\n    return 0\n", "signature"),
        ("@deco\nasync def f(x):\n    return 0\n", "async"),
        ("@deco\ndef f(x):\n    return 1 / x\n", "no_change"),
        ("@deco\ndef f(x):\n    return 0\n\ndef g():\n    pass\n", "extra_code"),
        ("X = 1\n@deco\ndef f(x):\n    return X\n", "extra_code"),
        ("x = 1\n", "no_function"),
        ("def f(x:\n", "not_python"),
        ("", "no_function"),
        ("I can't help with that.", "not_python"),
        ("@deco\ndef f(x):\n    return 0\n\ndef g(:\n", "not_python"),
        ("from math import *\n@deco\ndef f(x):\n    return 0\n", "star_import"),
        ("from __future__ import annotations\n@deco\ndef f(x):\n    return 0\n", "future_import"),
        ("from other import deco\n@deco\ndef f(x):\n    return 0\n", "import_conflict"),
        ("@deco\ndef f(x):\n    return 0\n" + "#" * 200_001, "too_long"),
        ("@deco\ndef f(x):\n    break\n", "does_not_compile"),
    ],
)
def test_what_is_no_edit_of_the_body_is_refused(new: str, reason: str) -> None:
    """Anything beyond the body and leading imports is refused, with the reason."""
    before = "def deco(f):\n    return f\n\n@deco\ndef f(x):\n    return 1 / x\n"
    assert refusal(before, "f", new) == reason


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{NEW}```\n",
        f"Here it is:\n\n```py\n{NEW}```\n\nIt returns 0 now. `f` is safe.\n",
        f"~~~\n{NEW}~~~\n",
        f"{NEW}\nThis returns 0 instead of dividing.\nNothing else changes.\n",
        f"```\nf(0)\n```\nfails, so:\n```python\n{NEW}```\n",
    ],
)
def test_fences_and_prose_are_taken_off(answer: str) -> None:
    """Only the function of a model's answer is used."""
    assert edited(F, "f", answer) == NEW


def test_a_fence_inside_a_docstring_is_text() -> None:
    """A docstring with a fenced example doesn't end the function."""
    new = (
        'def f(x):\n    """Do.\n\n```python\ndef f(x):\n    return 5\n```\n    """\n    return 0\n'
    )
    assert edited(F, "f", new) == new
    assert edited(F, "f", f"Sure.\n```python\n{new}```\nDone.\n") == new


def test_a_byte_order_mark_stays() -> None:
    """The file's first three bytes are none of the function's, wherever the import goes."""
    before = b"\xef\xbb\xbf" + F.encode()
    after = replace_function(before, "f", "import re\n" + NEW).after
    assert after == b"\xef\xbb\xbfimport re\n\n" + NEW.encode()


def test_latin_1_stays_latin_1() -> None:
    """A coding line decides how new text is written; columns are right behind odd characters."""
    before = '# -*- coding: latin-1 -*-\nS = "é"\ndef f(x):\n    return "é" + x\n'.encode("latin-1")
    result = replace_function(before, "f", 'def f(x):\n    return "ü" + str(x)\n')
    assert result.after == before.replace(
        '"é" + x'.encode("latin-1"), '"ü" + str(x)'.encode("latin-1")
    )
    with pytest.raises(PatchRefused) as caught:
        replace_function(before, "f", 'def f(x):\n    return "→"\n')
    assert caught.value.reason == "encoding"


def test_form_feeds_and_odd_separators_end_no_line() -> None:
    """Lines end as Python's do, not where `str.splitlines` thinks so."""
    before = "X = '\x85 \u2028 \x1c'\n\x0cdef f(x):\n    return 1 / x\n\x0cY = 1\n"
    assert edited(before, "f", NEW) == before.replace("return 1 / x", "return 0")


def test_a_last_line_without_line_break() -> None:
    """A file that doesn't end in a line break doesn't get one."""
    assert edited(F.rstrip("\n"), "f", NEW) == NEW.rstrip("\n")


def test_a_backslash_at_the_end_belongs_to_the_function() -> None:
    """A line that a backslash joins to the last statement is part of it."""
    before = "def f(x):\n    return 1 \\\n\nX = 1\n"
    assert edited(before, "f", NEW) == NEW + "X = 1\n"


def test_overloads_do_not_count_as_the_function() -> None:
    """Of several definitions of one name, the one that isn't for type checkers is meant."""
    before = (
        "from typing import overload\n@overload\ndef f(x: int): ...\n@overload\ndef f(x: str): ...\n"
        + F
    )
    assert edited(before, "f", NEW) == before.replace("return 1 / x", "return 0")


@pytest.mark.parametrize(
    "source", [b"def f(:\n", b"\xff\xfe", b"# coding: nope\n", b"def f(): '\x00'"]
)
def test_a_file_that_is_no_python_is_unavailable(source: bytes) -> None:
    """A file that Python can't read can't be edited, and that is said as such."""
    with pytest.raises(SourceUnavailable, match="no valid Python"):
        replace_function(source, "f", NEW)


def test_a_missing_function_is_unavailable() -> None:
    """A name that isn't defined is said."""
    with pytest.raises(SourceUnavailable, match="defines no function 'g'"):
        replace_function(F.encode(), "g", NEW)


def test_the_result_says_what_changed() -> None:
    """Span, added imports and changed lines describe the edit."""
    before = b"import os\n\n" + F.encode() + b"X = 1\n"
    result = replace_function(before, "f", "import re\ndef f(x):\n    if x:\n        return 1\n")
    start, end = result.span
    assert before[start:end] == F.rstrip("\n").encode()
    assert result.added_imports == ("import re",)
    first, last = result.changed_lines
    lines = result.after.decode().split("\n")
    assert lines[first - 1 : last] == ["def f(x):", "    if x:", "        return 1"]
