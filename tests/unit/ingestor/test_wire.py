import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from infrastructure.ingestor.wire import WireOptions, credentials, sign_nonce

SEED = "SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY"
"""The example of the nkeys documentation."""


def test_credentials_are_taken_out_of_the_url() -> None:
    assert credentials("nats://me:p%40ss@host:4222", None, "") == {"user": "me", "pass": "p@ss"}
    assert credentials("nats://token@host", None, "") == {"auth_token": "token"}
    assert credentials("host:4222", None, "") == {}


def test_an_nkey_signs_the_nonce_of_the_server() -> None:
    login = sign_nonce(SEED, "nonce")
    padded = login["nkey"] + "=" * (-len(login["nkey"]) % 8)
    public = base64.b32decode(padded)[1:33]
    signature = base64.urlsafe_b64decode(login["sig"] + "==")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"nonce")
    assert login["nkey"].startswith("U")


def test_several_servers_are_shown_without_secrets() -> None:
    options = WireOptions(url="nats://a:b@one:1, nats://a:b@two")
    assert options.public_url == "nats://one:1,nats://two:4222"
