"""An OpenID Connect provider: real HTTP, real keys, and whatever lies a test wants it to tell."""

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "prunella", "the client's secret"


@dataclass
class FakeProvider:
    """What it knows, and what it claims."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    #: What it signs with, where that isn't the key that it publishes.
    signing_key: object = None
    header: dict = field(default_factory=lambda: {"alg": "RS256", "kid": "k1"})
    #: Claims that differ from the honest ones; ``None`` leaves one out.
    claims: dict = field(default_factory=dict)
    #: Metadata that differs from the honest ones.
    metadata: dict = field(default_factory=dict)
    token: str = ""
    #: Code to what was asked when it was given.
    codes: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def allow(self, address):
        """Do what a person does at the provider's page; return where the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def described(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.metadata,
        }

    def exchanged(self, form):
        """Return the answer to a code, or ``None`` where it isn't good."""
        query = self.codes.pop(form.get("code"), None)
        if query is None or form.get("client_secret") != SECRET:
            return None
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        if challenge.rstrip(b"=").decode() != query["code_challenge"]:
            return None
        if form["redirect_uri"] != query["redirect_uri"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.signed(query)}

    def signed(self, query):
        at = int(time.time())  # noqa: TID251 - a provider's clock
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "user-7",
            "iat": at,
            "exp": at + 60,
            "nonce": query["nonce"],
            "preferred_username": "Ana",
            "groups": ["shop", "all"],
        }
        claims = {k: v for k, v in (claims | self.claims).items() if v is not None}
        return self.token or jwt.encode(self.header, claims, self.signing_key or self.key)


@contextmanager
def oidc_provider():
    """Run a provider on a port of this machine."""
    provider = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, document):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            provider.asked.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                self.answer(200, provider.described())
            elif self.path == "/keys":
                self.answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self.answer(404, {})

        def do_POST(self):
            size = int(self.headers["content-length"])
            form = parse_qs(self.rfile.read(size).decode())
            found = provider.exchanged({name: values[0] for name, values in form.items()})
            self.answer(200 if found else 400, found or {"error": "invalid_grant"})

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
