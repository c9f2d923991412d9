"""Logging in by an OpenID Connect provider: there and back, and every lie that it or others may tell."""

import hmac
import time
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from doubles.oidc_provider import CLIENT, SECRET, oidc_provider
from prunella.model.directory import Role
from prunella.model.errors import ConfigurationError
from prunella.model.settings import Settings
from prunella.server.app import create_guarded_app
from prunella.server.provider import Provider, granted, read_rules

READ = "/api/v1/projects/shop/incidents"
SERVER = "https://prunella.example"
KEY = RSAKey.generate_key(2048, {"kid": "k1"})


@pytest.fixture(scope="module")
def running():
    with oidc_provider() as found:
        yield found


@pytest.fixture
def provider(running):
    """The provider, honest again."""
    running.__init__(url=running.url, key=KEY)
    return running


def settings(provider, **changes):
    values = {
        "server_url": SERVER,
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": "groups=shop->shop=operator, groups=admins->*=admin",
    }
    return Settings(**(values | changes))


@pytest.fixture
def browser(provider, several, directory):
    def open_browser(**changes):
        app = create_guarded_app(
            several, directory, provider=Provider(settings(provider, **changes))
        )
        return TestClient(app, base_url=SERVER, follow_redirects=False)

    return open_browser


def signed_by_what_is_public(key, token):
    """Return the claims of a token, signed with the public key's text as if that were a secret."""
    header = urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    signed = f"{header}.{token.split('.')[1]}"
    mac = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def log_in(client, provider, to="/"):
    """Go to the provider, be allowed, and come back."""
    gone = client.get("/oidc/login", params={"next": to})
    assert gone.status_code == 303, gone.text
    back = urlsplit(provider.allow(gone.headers["location"]))
    return client.get(f"{back.path}?{back.query}")


def test_whoever_the_provider_knows_gets_in_with_the_roles_of_their_claims(
    browser, provider, directory
):
    """A login leads to the provider and back, makes a person, and begins a session."""
    client = browser()
    assert "/oidc/login?next=%2F" in client.get("/login").text
    answer = log_in(client, provider, to="/p/shop/fixes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/fixes")
    assert client.get(READ).status_code == 200
    assert client.get("/api/v1/projects/bank/incidents").status_code == 404
    person = directory.person("ana")
    assert (person.roles, person.subject) == ({"shop": Role.OPERATOR}, f"{provider.url}|user-7")
    assert person.password_hash == ""


def test_roles_are_taken_anew_at_each_login(browser, provider, directory):
    """Who was moved to another group has its roles with the next login, and no second person."""
    log_in(browser(), provider)
    provider.claims = {"groups": ["admins"], "preferred_username": "ana.banana"}
    log_in(browser(), provider)
    assert directory.person("ana").roles == {"*": Role.ADMIN}
    assert [person.name for person in directory.people()] == ["ana"]


def test_whoever_has_no_role_stays_out(browser, provider, directory):
    """Being known to the provider alone is no right."""
    provider.claims = {"groups": ["kitchen"]}
    client = browser()
    answer = log_in(client, provider)
    assert answer.status_code == 403
    assert "oidc_roles" in answer.text
    assert directory.people() == []
    assert client.get(READ).status_code == 401


def test_nobody_is_taken_for_somebody_with_the_same_name(browser, provider, directory, people):
    """A person of the provider whose name is in use gets another."""
    people.add_person("ana", {"*": Role.ADMIN}, password=12 * "p")
    log_in(browser(), provider)
    assert directory.person("ana").roles == {"*": Role.ADMIN}
    (other,) = [item for item in directory.people() if item.name != "ana"]
    assert other.name.startswith("ana-")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},  # noqa: TID251 - a provider's clock
        {"exp": None},
        {"iat": int(time.time()) + 3600},  # noqa: TID251 - a provider's clock
        {"sub": None},
    ],
    ids=["aud", "azp", "iss", "nonce", "no nonce", "exp", "no exp", "iat", "no sub"],
)
def test_a_token_that_is_not_for_this_login_is_refused(browser, provider, claims):
    """Every claim that the flow stands on is checked."""
    provider.claims = claims
    client = browser()
    assert log_in(client, provider).status_code == 403
    assert client.get(READ).status_code == 401


def test_only_the_providers_own_signature_counts(browser, provider):
    """A token without a signature, of another key, or signed by what is public is refused."""
    honest = provider.key
    provider.signing_key = RSAKey.generate_key(2048)
    assert log_in(browser(), provider).status_code == 403
    provider.signing_key = None
    honest_token = provider.signed({"nonce": "any"})
    provider.token = signed_by_what_is_public(honest, honest_token)
    assert log_in(browser(), provider).status_code == 403
    provider.token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyLTcifQ."  # noqa: S105 - nobody's
    assert log_in(browser(), provider).status_code == 403
    provider.token = "no token"  # noqa: S105 - nobody's
    assert log_in(browser(), provider).status_code == 403


def test_new_keys_of_the_provider_are_found(browser, provider, monkeypatch):
    """A token of a key that was published since is taken."""
    from prunella.server import provider as module

    monkeypatch.setattr(module, "_KEYS_S", 0.0)
    client = browser()
    assert log_in(client, provider).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "k2"})
    provider.header = {"alg": "RS256", "kid": "k2"}
    assert log_in(client, provider).status_code == 303


def test_a_login_ends_in_the_browser_in_which_it_began(browser, provider):
    """Coming back with another's code, another state, or without having gone is refused."""
    client, other = browser(), browser()
    gone = client.get("/oidc/login")
    back = urlsplit(provider.allow(gone.headers["location"]))
    assert other.get(f"{back.path}?{back.query}").status_code == 403
    other.get("/oidc/login")
    assert other.get(f"{back.path}?{back.query}").status_code == 403
    code = parse_qs(back.query)["code"][0]
    assert client.get(f"{back.path}?code={code}").status_code == 403
    assert client.get(f"{back.path}?error=denied").status_code == 403
    came = client.get(f"{back.path}?{back.query}")
    assert came.status_code == 303, came.text
    again = client.get(f"{back.path}?{back.query}")
    assert again.status_code == 403  # a code is good once


def test_a_provider_that_is_another_or_away_is_said(browser, provider):
    """Nothing is believed of a provider that calls itself otherwise, and a dead one is told."""
    provider.metadata = {"issuer": "https://evil.example"}
    assert browser().get("/oidc/login").status_code == 502
    provider.metadata = {"token_endpoint": "http://evil.example/token"}
    assert browser().get("/oidc/login").status_code == 502
    gone = browser(oidc_issuer="http://127.0.0.1:9").get("/oidc/login")
    assert gone.status_code == 502
    assert "can&#39;t be reached" in gone.text


def test_the_secret_goes_the_way_that_the_provider_takes(provider, monkeypatch):
    """Where a provider takes the secret in a header alone, it goes there and not into the form."""
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    found = Provider(settings(provider))
    sent = {}
    ask = found._ask

    def asked(method, address, *, data=None, basic=None):
        if method == "POST":
            sent.update(data=data, basic=basic)
            return {"id_token": "x"}
        return ask(method, address)

    monkeypatch.setattr(found, "_ask", asked)
    assert found._token("code", "verifier") == "x"
    assert sent["basic"] == (CLIENT, "the%20client%27s%20secret")
    assert "client_secret" not in sent["data"]


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_client_id": ""},
        {"server_url": ""},
        {"server_url": "http://prunella.example"},
        {"oidc_issuer": "http://id.example"},
        {"oidc_issuer": "javascript:alert(1)"},
        {"oidc_roles": "admins"},
        {"oidc_roles": "groups=admins->*=king"},
    ],
    ids=str,
)
def test_settings_that_cannot_work_stop_the_server(provider, changes):
    """What would let the wrong ones in, or nobody, is said at the start."""
    with pytest.raises(ConfigurationError):
        Provider(settings(provider, **changes))


def test_the_highest_of_several_roles_counts():
    """Rules add up; values of claims are texts, numbers, truths, or lists of these."""
    rules = read_rules("g=a->shop=viewer, g=b->shop=admin, ok=true->*=viewer, n=7->bank=operator")
    assert granted(rules, {"g": ["b", "a"], "ok": True}) == {"shop": Role.ADMIN, "*": Role.VIEWER}
    assert granted(rules, {"g": "a", "n": 7}) == {"shop": Role.VIEWER, "bank": Role.OPERATOR}
    assert granted(rules, {"g": {"b": 1}, "ok": "false"}) == {}
