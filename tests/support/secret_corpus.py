"""Made-up secrets of every kind, in the surroundings of `tests/data/secrets`.

The secrets are put together here, of random letters: nothing in the repository looks like a leak.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

PLACES = Path(__file__).parents[1] / "data" / "secrets"
SECRETS_OF_A_KIND = 24
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _UPPER + _UPPER.lower()
_WORD = _LETTERS + _DIGITS
_URL_SAFE = _WORD + "_-"

Make = Callable[[random.Random], str]


def _some(letters: str, count: int) -> Make:
    return lambda dice: "".join(dice.choice(letters) for _ in range(count))


def _joined(*parts: str | Make) -> Make:
    def make(dice: random.Random) -> str:
        return "".join(part if isinstance(part, str) else part(dice) for part in parts)

    return make


def _one_of(*makes: Make) -> Make:
    return lambda dice: dice.choice(makes)(dice)


def _numbered(make: Make) -> Make:
    """With a digit somewhere, as nearly all random secrets have."""
    return lambda dice: f"{make(dice)}{dice.randrange(10)}{_some(_WORD, 2)(dice)}"


def _private_key(dice: random.Random) -> str:
    kind = dice.choice(["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "])
    lines = "\n".join(_some(_WORD + "+/", 64)(dice) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n{'-' * 5}END {kind}PRIVATE KEY-----"


TOKENS: dict[str, Make] = {
    "aws_access_key": _joined(
        _one_of(*(_joined(f"A{x}A") for x in ("KI", "SI"))), _some(_UPPER, 16)
    ),
    "aws_session_token": _one_of(
        _joined("IQo", "Jb3JpZ2luX2Vj", _some(_WORD + "/+", 300), "=="),
        _joined(_one_of(_joined("Fwo"), _joined("FQo")), "GZXIvYXdz", _some(_WORD + "/+", 300)),
    ),
    "anthropic_key": _joined(
        "sk-",
        "ant-",
        _one_of(_joined("api03-"), _joined("admin01-"), _joined("oat01-")),
        _some(_URL_SAFE, 93),
        "AA",
    ),
    "openai_key": _one_of(
        _joined("sk-", _some(_WORD, 20), "T3Blbk", "FJ", _some(_WORD, 20)),
        _joined("sk-", "proj-", _some(_URL_SAFE, 74), "T3Blbk", "FJ", _some(_URL_SAFE, 74)),
        _joined("sk-", "svcacct-", _some(_URL_SAFE, 74)),
        _joined("sk-", "admin-", _some(_URL_SAFE, 60)),
        _joined("sk-", "or-v1-", _some("0123456789abcdef", 64)),
    ),
    "google_key": _one_of(
        _joined("AI", "za", _some(_URL_SAFE, 35)),
        _joined("GOC", "SPX-", _some(_URL_SAFE, 28)),
        _joined("ya", "29.", _some(_URL_SAFE, 120)),
    ),
    "huggingface_token": _joined("hf", "_", _some(_WORD, 34)),
    "github_token": _one_of(
        *(_joined(f"gh{x}", "_", _some(_WORD, 36)) for x in "pousr"),
        _joined("github", "_pat_", _some(_WORD, 22), "_", _some(_WORD, 59)),
    ),
    "gitlab_token": _one_of(
        *(_joined(f"gl{x}", "-", _some(_WORD, 20)) for x in ("pat", "rt", "dt", "ptt", "soat")),
        _joined("gl", "pat-", _some(_WORD, 27), ".01.", _some(_WORD, 9)),
    ),
    "slack_token": _one_of(
        *(_joined(f"xox{x}", "-", _some(_DIGITS, 12), "-", _some(_WORD, 24)) for x in "bpars"),
        _joined("xapp", "-1-A", _some(_UPPER, 10), "-", _some(_DIGITS, 13), "-", _some(_WORD, 64)),
        _joined(
            "hooks.",
            "slack.com/services/T",
            _some(_UPPER, 8),
            "/B",
            _some(_UPPER, 8),
            "/",
            _some(_WORD, 24),
        ),
    ),
    "stripe_key": _one_of(
        *(
            _joined(x, f"_{mode}_", _some(_WORD, 24))
            for x in ("sk", "rk")
            for mode in ("live", "test")
        ),
        _joined("whsec", "_", _some(_WORD, 32)),
    ),
    "npm_token": _joined("npm", "_", _some(_WORD, 36)),
    "pypi_token": _joined("py", "pi-AgEIcHlwaS5vcmc", _some(_URL_SAFE, 130)),
    "jwt": _joined(
        "ey", "JhbGciOiJIUzI1NiJ9.ey", "J", _some(_URL_SAFE, 60), ".", _some(_URL_SAFE, 43)
    ),
    "private_key": _private_key,
}
"""Kind to what makes a secret of it, for those known by how they look."""

PASSWORD = _one_of(
    _numbered(_some(_WORD, 9)),
    _numbered(_some(_WORD + "!#%^*+~?", 14)),
    _numbered(_some(_LETTERS, 20)),
    _joined(_some(_LETTERS.lower(), 6), _some(_DIGITS, 2)),
)

PLACED: dict[str, tuple[Make, tuple[str, ...]]] = {
    "bearer": (
        _numbered(_some(_URL_SAFE, 30)),
        (
            "Authorization: Bearer {secret}",
            "curl -H 'Authorization: Bearer {secret}' https://example.org",
            '{"authorization": "bearer {secret}"}',
        ),
    ),
    "basic_auth": (
        _joined(_some(_WORD, 22), "=="),
        ("Authorization: Basic {secret}", '"Authorization": "Basic {secret}"'),
    ),
    "url_password": (
        PASSWORD,
        (
            "DATABASE_URL=postgres://app:{secret}@db.example.org:5432/app",
            "redis://:{secret}@cache:6379/0 is used",
            'url: "amqp://guest:{secret}@mq/"',
            "git clone https://bob:{secret}@git.example.org/a.git",
            'dsn := "root:{secret}@tcp(127.0.0.1:3306)/app"',
            "mongodb+srv://app:{secret}@cluster0.example.net/?retryWrites=true",
        ),
    ),
    "aws_secret_key": (
        _some(_WORD + "/+", 40),
        (
            "aws_secret_access_key = {secret}",
            "AWS_SECRET_ACCESS_KEY={secret}",
            '"SecretAccessKey": "{secret}"',
            "AKIA" + "ABCDEFGHIJKLMNOP,{secret}",
            "export AWS_SECRET_ACCESS_KEY='{secret}'\\nexport AWS_REGION=eu-west-1",
        ),
    ),
    "cookie": (
        _numbered(_some(_WORD, 30)),
        ("Cookie: sid={secret}; lang=en", "-H 'Cookie: session={secret}'"),
    ),
    "login_password": (
        _numbered(_some(_WORD, 9)),
        (
            "curl -u admin:{secret} https://example.org/",
            "mysql -u root -p{secret} app < dump.sql",
            "sshpass -p {secret} ssh root@host",
            "docker login -u bob -p {secret} registry.example.org",
        ),
    ),
}
"""Kind to what makes a secret, and where it stands, for those known by their place."""


def surroundings(name: str) -> list[str]:
    """Return the lines of one file, each a text with `{secret}` in it."""
    lines = (PLACES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if line]


def planted() -> Iterator[tuple[str, str, str]]:
    """Yield kind, secret and the text that it stands in: every kind in all its surroundings."""
    dice = random.Random(5)  # the same corpus each time
    for kind, make in TOKENS.items():
        yield from _in_places(kind, make, surroundings("tokens"), dice)
    yield from _in_places("assigned_secret", PASSWORD, surroundings("named"), dice)
    for kind, (make, places) in PLACED.items():
        yield from _in_places(kind, make, [one.replace("\\n", "\n") for one in places], dice)


def _in_places(
    kind: str, make: Make, places: list[str], dice: random.Random
) -> Iterator[tuple[str, str, str]]:
    for number in range(max(SECRETS_OF_A_KIND, len(places))):
        secret = make(dice)
        yield kind, secret, places[number % len(places)].replace("{secret}", secret)
