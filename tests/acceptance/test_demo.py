"""One run of the demo, looked at from all sides."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: The once-failing request of each fault, and the answer that the program's own words (docstrings,
#: siblings, annotations) ask for.
RIGHT = {
    "shop.pricing:unit_price": (
        'unit_price(Decimal("24.58"), 5, [{"from": 6, "percent": 10}])',
        "Decimal('24.58')",
    ),
    "shop.pricing:redeem": ('redeem(Decimal("10.00"), {"percent": 15})', "Decimal('8.50')"),
    "shop.orders:page": ("[page([], 4), page(['o-1'], 2)]", "[[], []]"),
    "shop.orders:next_slot": ("next_slot(['2026-12-21T09:00'], '2026-12-23T09:00')", "None"),
    "shop.customers:Customer.initials": ("Customer('ada', 'byron').initials()", "'AB'"),
    "shop.importer:decode_feed": ('decode_feed("Maß;1".encode("cp1252"))', "'Maß;1'"),
    "shop.importer:parse_quantity": ('parse_quantity("")', "0"),
    "shop.importer:parse_weight": ('parse_weight("1,250.5")', "1250.5"),
    "shop.importer:stock_rows": ('list(stock_rows("a;1\\n\\nb;2\\n"))', "[('a', 1), ('b', 2)]"),
    "shop.shipping:Courier.tracking_text": ("asyncio.run(Courier({}).tracking_text('o-1'))", "''"),
    "shop.reports:average_basket": ("average_basket([])", "0.0"),
    "shop.reports:best_seller": ("best_seller({})", "None"),
}
#: What nobody but the shop can decide.
UNDECIDABLE = {"shop.pricing:to_euro", "shop.inventory:breadcrumbs"}
_IMPORTS = """
import asyncio
from decimal import Decimal
from shop.customers import Customer
from shop.importer import *
from shop.orders import next_slot, page
from shop.pricing import *
from shop.reports import *
from shop.shipping import Courier
"""


def run(*command, cwd, **environment):
    """Run a command to its end; return what it did."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def prunella(*arguments, cwd):
    """Run a prunella command as users do."""
    return run(sys.executable, "-m", "prunella.cli", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo: its JSON, with the folder it made."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    done = prunella("demo", "--dir", str(folder), "--json", cwd=folder.parent)
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def branches(demo, tmp_path_factory):
    """Failed function to a checkout of the branch that heals it."""
    found = {}
    for healing in demo["healings"]:
        if healing.get("branch"):
            place = healing["incident"]["location"]
            checkout = tmp_path_factory.mktemp("branch") / "shop"
            run(
                "git", "worktree", "add", "--detach", str(checkout), healing["branch"],
                cwd=demo["folder"],
            )  # fmt: skip
            found[f"{place['module']}:{place['qualname']}"] = checkout
    return found


def test_at_least_five_faults_are_healed_by_patches(demo, branches):
    """Of different exception types, a method and a coroutine among them."""
    types = {item["error_type"] for item in demo["healings"] if item.get("branch")}
    assert len(branches) >= 5
    assert len(types) >= 4
    assert "shop.shipping:Courier.tracking_text" in branches


def test_what_needs_a_decision_is_left_to_people(demo, branches):
    """An unknown currency and a category inside itself have no repair that can be proven."""
    assert not UNDECIDABLE & set(branches)
    left = [item for item in demo["healings"] if item["outcome"] in ("unproven", "abstained")]
    assert left
    assert all(item["explanation"] for item in left)


def test_business_as_usual_is_ignored(demo):
    """Being sold out is in the ignore file: an incident, and never healed."""
    statuses = {item["error_type"]: item["status"] for item in demo["incidents"]}
    assert statuses["shop.inventory:OutOfStock"] == "ignored"
    assert "shop.inventory:OutOfStock" not in {
        item["incident"]["error_type"] for item in demo["healings"]
    }


def test_the_programs_files_are_as_they_were(demo):
    """Branches are made without touching the work tree or the index."""
    status = run("git", "status", "--porcelain", cwd=demo["folder"])
    assert (status.stdout, status.stderr) == ("", "")
    head = run("git", "rev-parse", "--abbrev-ref", "HEAD", cwd=demo["folder"])
    assert head.stdout == "main\n"


def test_the_programs_tests_pass_on_every_branch(branches):
    """The regression test that came with the patch included."""
    for function, checkout in branches.items():
        done = run(
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            cwd=checkout, PRUNELLA_DISABLED="1",
        )  # fmt: skip
        assert done.returncode == 0, f"{function}: {done.stdout}"


def test_a_branch_changes_the_function_and_adds_a_test(demo, branches):
    """One commit on main; one file of the program changed, at most one test added."""
    for function, checkout in branches.items():
        changes = run("git", "diff", "--name-status", "main...HEAD", cwd=checkout).stdout.split(
            "\n"
        )
        module = function.partition(":")[0].replace(".", "/")
        assert f"M\t{module}.py" in changes
        rest = [line for line in changes if line and line != f"M\t{module}.py"]
        assert all(line.startswith("A\ttests/") for line in rest)
        assert len(rest) <= 1
        assert run("git", "rev-list", "--count", "main..HEAD", cwd=checkout).stdout == "1\n"


@pytest.mark.parametrize("function", sorted(RIGHT))
def test_the_once_failing_request_gets_the_answer_that_the_program_asks_for(function, branches):
    """A patch that stands on a branch isn't only free of the crash: it is right."""
    if function not in branches:
        pytest.skip("not healed")
    call, answer = RIGHT[function]
    done = run(
        sys.executable, "-c", f"{_IMPORTS}\nprint(repr({call}))",
        cwd=branches[function], PRUNELLA_DISABLED="1",
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (answer, "")


def test_recorded_calls_replay_on_each_patch(demo, branches):
    """`prunella replay --against` says of each published patch: healed, and nothing broken."""
    patches = sorted(Path(demo["folder"], ".prunella", "pull-requests").glob("*.patch"))
    assert len(patches) == len(branches)
    for patch in patches[:2]:
        function = next(
            item["incident"]["site_id"]
            for item in demo["healings"]
            if item.get("branch") and item["branch"].replace("/", "-") == patch.stem
        )
        done = prunella("replay", function, "--against", str(patch), "--json", cwd=demo["folder"])
        assert done.returncode == 0, done.stderr + done.stdout
        differences = [row["difference"] for row in json.loads(done.stdout)["rows"]]
        assert "healed" in differences
        assert not {"broken", "changed"} & set(differences)


def test_the_story_of_each_incident_can_be_told(demo):
    """`incidents show` works for healed, unhealed and ignored ones."""
    for status in ("open", "ignored"):
        chosen = next(item for item in demo["incidents"] if item["status"] == status)
        done = prunella("incidents", "show", chosen["incident_id"], cwd=demo["folder"])
        assert done.returncode == 0, done.stderr
        assert chosen["site_id"] in done.stdout


def test_a_second_look_heals_nothing_twice(demo):
    """Healing again finds the published patch instead of making another branch."""
    healed = next(item for item in demo["healings"] if item.get("branch"))
    before = run("git", "branch", "--list", cwd=demo["folder"]).stdout
    arguments = ("heal", healed["incident_id"], "--pr", "--json")
    assert prunella(*arguments, cwd=demo["folder"]).returncode == 1  # it cools down
    done = prunella(*arguments, "--force", cwd=demo["folder"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["healings"][0]["branch"] == healed["branch"]
    assert run("git", "branch", "--list", cwd=demo["folder"]).stdout == before


def test_partners_are_healed_by_fixes(demo):
    """Each partner of the evening fails, gets a fix that is tried and approved, and fails less."""
    evening = demo["evening"]
    partners = {item["name"]: item for item in evening["partners"]}
    assert set(partners) == {"exchange_rate", "delivery_quote", "describe", "search"}
    assert evening["healed"] >= 3
    for item in partners.values():
        assert item["failed_ratio_before"] > 0.1
        assert item["error_code"]
        if item["healed"]:
            assert item["confidence"] >= 0.6
            assert item["state"] in ("testing", "graduated")
    assert partners["search"]["fix"]["fix_type"] == "guard"
    done = prunella("fixes", "list", "--json", cwd=demo["folder"])
    assert done.returncode == 0, done.stderr + done.stdout
    kept = {item["rollout_id"] for item in json.loads(done.stdout)["fixes"]}
    assert {item["rollout_id"] for item in partners.values() if item["healed"]} <= kept


def test_an_occupied_folder_is_refused(tmp_path):
    """The demo writes into new or empty folders only."""
    (tmp_path / "mine.txt").write_text("mine")
    done = prunella("demo", "--dir", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
