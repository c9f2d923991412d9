"""Everything that goes out goes through the proxy that the environment names."""

import pytest

from builders import AT
from doubles.alert_server import alert_server
from doubles.proxy_server import proxying
from prunella.adapters.apprise_notifier import AppriseNotifier
from prunella.adapters.code_hosts.failures import Correspondent
from prunella.adapters.code_hosts.gitea import GiteaForge
from prunella.adapters.code_hosts.github import GitHubForge
from prunella.adapters.code_hosts.gitlab import GitLabForge
from prunella.adapters.code_hosts.remote import RemoteHost
from prunella.adapters.language_model import open_model
from prunella.adapters.webhook import Webhook
from prunella.model.alerts import Alert, AlertKind
from prunella.model.errors import CodeHostError, ModelError, NotDelivered
from prunella.model.settings import Settings
from prunella.pipeline.alerts import alert_id
from prunella.ports import ModelRequest
from prunella.server.provider import NotIdentified, Provider, Question

# Apprise imports it while it looks for its plugins.
pytestmark = pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")

AWAY = "https://away.example"
ALERT = Alert(
    alert_id=alert_id(AlertKind.TEST, 1),
    kind=AlertKind.TEST,
    subject="",
    title="t",
    body="b",
    decided_at=AT,
)


@pytest.fixture
def through(monkeypatch):
    """Return what sets the environment's proxy."""
    for name in ("http", "https", "all", "no"):
        for variable in (f"{name}_proxy", f"{name}_proxy".upper()):
            monkeypatch.delenv(variable, raising=False)
    return lambda port: monkeypatch.setenv("HTTPS_PROXY", f"http://ana:pw@127.0.0.1:{port}")


def by_webhook():
    Webhook(f"{AWAY}/hook", "").send(ALERT)


def by_apprise():
    AppriseNotifier("jsons://away.example/hook", 1).send(ALERT)


def by_a_model(provider):
    settings = Settings(model=f"{provider}:large", model_base_url=f"{AWAY}/v1", model_timeout_s=5)
    model = open_model(settings, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
    model._pause = lambda _seconds: None
    model.ask(ModelRequest(purpose="patch", system="s", prompt="p"))


def by_a_host(forge):
    whom = Correspondent(name="host", project="shop/backend", variable="TOKEN", token="t0ken")  # noqa: S106
    RemoteHost(forge(whom, url=f"{AWAY}/api", timeout_s=5)).base()


def by_a_provider_of_identities():
    settings = Settings(
        server_url="https://prunella.example",
        oidc_issuer=AWAY,
        oidc_client_id="prunella",
        oidc_roles="groups=a->*=admin",
    )
    Provider(settings).address(Question.new())


@pytest.mark.parametrize(
    "go_out",
    [
        by_webhook,
        by_apprise,
        pytest.param(lambda: by_a_model("openai"), id="openai"),
        pytest.param(lambda: by_a_model("anthropic"), id="anthropic"),
        pytest.param(lambda: by_a_host(GitHubForge), id="github"),
        pytest.param(lambda: by_a_host(GitLabForge), id="gitlab"),
        pytest.param(lambda: by_a_host(GiteaForge), id="gitea"),
        by_a_provider_of_identities,
    ],
)
def test_what_goes_out_asks_the_proxy(through, go_out):
    """Each client asks for a tunnel, shows name and password, and never goes around a refusal."""
    with proxying(refuses=403, password="ana:pw") as proxy:  # noqa: S106 - of this test
        through(proxy.port)
        with pytest.raises((NotDelivered, ModelError, CodeHostError, NotIdentified)):
            go_out()
    assert {first.rpartition(" ")[0] for first in proxy.asked} == {"CONNECT away.example:443"}
    assert b"basic yw5honb3" in proxy.read.lower()


def test_a_webhook_without_encryption_is_passed_on(monkeypatch, through):
    """The proxy gets its whole address, and the post arrives; without a usable proxy it waits."""
    with alert_server() as posted, proxying(int(posted.address.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        Webhook("http://away.example:8080/hook?a=b", "").send(ALERT)
        assert proxy.asked == ["POST http://away.example:8080/hook?a=b HTTP/1.1"]
        ((path, headers, _),) = posted.posts
        assert (path, headers["Host"]) == ("/hook?a=b", "away.example:8080")
        monkeypatch.setenv("HTTP_PROXY", "socks5://ana:s3cret@h:1")
        with pytest.raises(NotDelivered, match="names no proxy that can be used") as refused:
            Webhook("http://away.example/hook", "").send(ALERT)
    assert "s3cret" not in str(refused.value)
    assert not refused.value.is_final
