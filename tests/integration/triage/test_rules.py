import pytest

from prunella.model.errors import ConfigurationError
from prunella.triage import Rules, load_rules


def test_a_project_without_files_has_no_rules(tmp_path):
    """Nothing needs to be configured."""
    assert load_rules(tmp_path) == Rules()


def test_both_names_of_each_file_are_read(tmp_path):
    """A project that comes from VectorWave keeps its files; ours win where both speak."""
    (tmp_path / ".prunella_errors.json").write_text('{"A": "OUR.A"}')
    (tmp_path / ".vectorwave_errors.json").write_text('{"A": "THEIR.A", "B": "THEIR.B"}')
    (tmp_path / ".prunellaignore").write_text("# ours\nOUR.A\n")
    (tmp_path / ".vtwignore").write_bytes(b"\xef\xbb\xbfTHEIR.B\r\n")
    rules = load_rules(tmp_path)
    assert rules.codes == {"A": "OUR.A", "B": "THEIR.B"}
    assert [pattern.text for pattern in rules.ignore] == ["OUR.A", "THEIR.B"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "one JSON object"),
        ('{"A": 1}', "'A': 1 is no error code"),
        ('{"A": "two words"}', "'A': 'two words' is no error code"),
    ],
)
def test_an_unusable_mapping_says_what_is_wrong(tmp_path, text, told):
    """A mistake in the mapping is named with file and key."""
    (tmp_path / ".prunella_errors.json").write_text(text)
    with pytest.raises(ConfigurationError, match=told) as caught:
        load_rules(tmp_path)
    assert ".prunella_errors.json" in str(caught.value)


def test_a_malformed_ignore_line_has_file_and_line(tmp_path):
    """A mistake in the ignore file is named with its place."""
    (tmp_path / ".vtwignore").write_text("A\nno pattern\n")
    with pytest.raises(ConfigurationError, match=r"\.vtwignore:2"):
        load_rules(tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    """Bytes that are no UTF-8, or a folder of that name, are said to be unreadable."""
    (tmp_path / ".prunellaignore").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_rules(tmp_path)
    (tmp_path / ".prunellaignore").unlink()
    (tmp_path / ".prunellaignore").mkdir()
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_rules(tmp_path)
