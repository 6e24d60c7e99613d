"""What secrets look like: a rule per kind, anchored on literals that its text must contain.

Pure data. A kind's pattern runs only where one of its literals is found; kinds without literals are
those of named values, found by a telling word in front of a separator. Specific kinds come before
general ones, so that each secret is counted once, under the name that says most.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MARK = "[redacted:"
"""How what stands for a secret begins; its kind and `]` follow."""

_TELLING = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token(?!s)|credential|authorization"
    r"|(?:api|access|auth|account|private|encryption|signing|master|service|shared)[_\- ]?key)"
)

_BEFORE_OPTION = r"[^\r\n|;]{0,400}?(?: |(?P<around>\"))"
"""What may lie between the name of a program and one of its options."""
_WORD = (
    r"(?P<quote>[\"'])?"
    r"(?P<secret>(?(around)[^\"\r\n]|(?(quote)[^\"'\r\n]|[^\s\"'`,;)\]|])){1,256})"
)
"""A word of a command line, in quotes of its own, in those `around` the option, or in none."""

OPTION = (
    r"--(?<![\w-]--)(?P<name>[a-z\-]{0,32}?(?:passw(?:or)?d|passphrase|secret|token|api-?key"
    r"|access-key|secret-key))"
)
"""A long option whose value is a secret."""


@dataclass(frozen=True, slots=True)
class SecretKind:
    """How secrets of one kind are found; group `secret` of the pattern is what goes."""

    name: str
    literals: tuple[str, ...]
    """One of them is in every text that the pattern fits; none: a telling word is."""
    pattern: re.Pattern[str]
    is_secret: Callable[[re.Match[str]], bool] | None = None
    """Has the last word where the pattern also fits ordinary text."""


def _kind(
    name: str,
    literals: tuple[str, ...],
    pattern: str,
    is_secret: Callable[[re.Match[str]], bool] | None = None,
    flags: int = 0,
) -> SecretKind:
    return SecretKind(name, literals, re.compile(pattern, flags), is_secret)


def _looks_random(text: str) -> bool:
    has_digit = any(character.isdigit() for character in text)
    return has_digit or len(text) >= 20 or (text.lower() != text and not text.istitle())


def _is_bearer_secret(match: re.Match[str]) -> bool:
    return _looks_random(match["secret"])


def _is_new(match: re.Match[str]) -> bool:
    return MARK not in match["secret"]


_PLACEHOLDER = re.compile(
    r"""(?ix) [$<{\[(*%] | (?:none|null|nil|true|false|undefined|required|optional|str|string)\b
    | os\. | env\. | process\.env | [a-z_][\w.]*\( | x{3,}$ | \.\.\.""",
)


def _is_assigned_secret(match: re.Match[str]) -> bool:
    value, name = match["secret"], match["name"].lower()
    if _PLACEHOLDER.match(value) or MARK in value:
        return False
    if name.startswith(("passw", "pwd", "passphrase")):
        return True
    if value.isdigit() and name.startswith("token"):
        return False  # max_token=4096 counts
    return bool(match["quote"]) or "=" in match["equals"] or _looks_random(value)


_NO_OPTION_VALUE = re.compile(r"[./~@]|[A-Z_]+$|(?:id|type|file|env)[=:]")
"""Paths, names of variables, and what options of build tools say in the place of a secret."""


def _is_option_secret(match: re.Match[str]) -> bool:
    value = match["secret"]
    if _PLACEHOLDER.match(value) or MARK in value or _NO_OPTION_VALUE.match(value):
        return False
    if value.isdigit() and match["name"].lower().endswith("token"):
        return False
    return bool(match["quote"]) or _looks_random(value)


def _is_login_password(match: re.Match[str]) -> bool:
    return not (_PLACEHOLDER.match(match["secret"]) or MARK in match["secret"])


def _is_attached_password(match: re.Match[str]) -> bool:
    """Behind options anything is a password; in a sentence `-profile` is most probably none."""
    is_command = match["options"] is not None or _looks_random(match["secret"])
    return is_command and _is_login_password(match)


def _is_cookie_secret(match: re.Match[str]) -> bool:
    values = (pair.partition("=")[2] for pair in match["secret"].split(";"))
    return any(len(one) >= 8 and MARK not in one and _looks_random(one) for one in values)


TELLING_WORDS = (
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "key",
    "authorization",
)
"""One of them, in lower case, is in every name whose value is a secret."""

NAME_REACH = 80
"""How far, in characters, such a word may lie before the separator."""

TELLING_NAME = re.compile(_TELLING, re.IGNORECASE)
"""Names whose values are secrets, as keys of attributes."""

SECRET_KINDS = (
    _kind(
        "private_key",
        ("-----BEGIN",),
        r"(?P<secret>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
        flags=re.DOTALL,
    ),
    _kind(
        "aws_access_key",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<![A-Za-z0-9])(?P<secret>(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})(?![A-Za-z0-9])",
    ),
    _kind("anthropic_key", ("sk-ant-",), r"(?P<secret>sk-ant-[A-Za-z0-9_\-]{16,})"),
    _kind(
        "openai_key",
        ("sk-", "sess-"),
        r"(?<![A-Za-z0-9])(?P<secret>sk-(?:proj|svcacct|admin|service|None)-[A-Za-z0-9_\-]{20,}"
        r"|sk-(?=[A-Za-z_\-]{0,200}[0-9])[A-Za-z0-9_\-]{20,}|sk-[A-Za-z0-9]{32,}"
        r"|sess-[A-Za-z0-9]{32,})",
    ),
    _kind(
        "google_key",
        ("AIza", "GOCSPX-", "ya29."),
        r"(?P<secret>AIza[A-Za-z0-9_\-]{35}|GOCSPX-[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-]{20,})",
    ),
    _kind(
        "huggingface_token",
        ("hf_", "api_org_"),
        r"(?<![A-Za-z0-9])(?P<secret>(?:hf_|api_org_)[A-Za-z0-9]{30,})",
    ),
    _kind(
        "github_token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"(?<![A-Za-z0-9])(?P<secret>gh[pousr]_[A-Za-z0-9_]{30,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    _kind(
        "gitlab_token",
        (
            *("glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-"),
            *("glsoat-", "glimt-", "glagent-", "gloas-", "glffct-", "glwt-"),
        ),
        r"(?<![A-Za-z0-9])(?P<secret>gl(?:pat|dt|rt|rtr|cbt|ptt|ft|soat|imt|agent|oas|ffct|wt)"
        r"-[A-Za-z0-9_.\-]{18,}[A-Za-z0-9])",
    ),
    _kind(
        "slack_token",
        (*(f"xox{letter}-" for letter in "abcdeoprs"), "xapp-", "hooks.slack.com/"),
        r"(?P<secret>xox[abcdeoprs](?:\.xox[a-z])?-[A-Za-z0-9\-]{10,}|xapp-[0-9]-[A-Za-z0-9\-]{10,}"
        r"|hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,})",
    ),
    _kind(
        "stripe_key",
        ("_live_", "_test_", "whsec_"),
        r"(?<![A-Za-z0-9])(?P<secret>(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}"
        r"|whsec_[A-Za-z0-9+/=]{20,})",
    ),
    _kind("npm_token", ("npm_",), r"(?<![A-Za-z0-9])(?P<secret>npm_[A-Za-z0-9]{30,})"),
    _kind("pypi_token", ("pypi-",), r"(?<![A-Za-z0-9])(?P<secret>pypi-[A-Za-z0-9_\-]{40,})"),
    _kind(
        "sendgrid_key",
        ("SG.",),
        r"(?<![A-Za-z0-9])(?P<secret>SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,})",
    ),
    _kind(
        "digitalocean_token",
        ("dop_v1_", "doo_v1_", "dor_v1_"),
        r"(?<![A-Za-z0-9])(?P<secret>do[opr]_v1_[a-f0-9]{32,})",
    ),
    _kind(
        "age_key",
        ("AGE-SECRET-KEY-",),
        r"(?P<secret>AGE-SECRET-KEY-1[A-Z0-9]{40,})",
    ),
    _kind(
        "jwt",
        ("eyJ",),
        r"(?<![A-Za-z0-9])(?P<secret>eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}"
        r"(?:\.[A-Za-z0-9_\-]*){1,3})",
    ),
    _kind(
        "url_password",
        ("://",),
        r"://(?:[^\s/:@\[\"'<>]{0,256}:(?P<secret>[^\s/\"'<>]{1,512})|(?P<user>[^\s/:@\[\"'<>]{20,512}))@",
        is_secret=lambda match: MARK not in (match["secret"] or match["user"]),
    ),
    _kind(
        "bearer",
        ("earer", "EARER"),
        r"\bbearer[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=\-]{8,})",
        is_secret=_is_bearer_secret,
        flags=re.IGNORECASE,
    ),
    _kind(
        "login_password",
        ("curl",),
        r"\bcurl\b[^\r\n|;]{0,400}?\s(?:-[A-Za-z]{0,8}[uU]|--(?:proxy-)?user)[ \t=]{0,4}"
        r"[\"']?[^\s:\"'/]{1,128}:(?P<secret>[^\s\"']{1,256})",
        is_secret=_is_login_password,
    ),
    _kind(
        "login_password",
        ("mysql", "mariadb"),
        rf"\b(?:mysql|mariadb)[\w\-]{{0,16}}(?P<options>(?=\s\"?-))?{_BEFORE_OPTION}-p{_WORD}",
        is_secret=_is_attached_password,
    ),
    _kind(
        "login_password",
        ("sshpass", "mongo", "login"),
        r"\b(?:sshpass|mongo(?:sh|dump|restore|export|import)?|(?:docker|podman|registry)\s+login)\b"
        rf"{_BEFORE_OPTION}-p[ \t=]{{0,4}}{_WORD}",
        is_secret=_is_login_password,
    ),
    _kind(
        "login_password",
        ("redis-cli",),
        rf"\bredis-cli\b{_BEFORE_OPTION}(?:-a|--pass)[ \t=]{{1,4}}{_WORD}",
        is_secret=_is_login_password,
    ),
    _kind(
        "cookie",
        ("ookie",),
        r"\bcookie[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
        r"(?P<secret>[^\s=;,\"']{1,128}=[^\s;\"']{1,4096}"
        r"(?:;[ \t]{0,4}[^\s=;\"']{1,128}(?:=[^\s;\"']{0,4096})?){0,100})",
        is_secret=_is_cookie_secret,
        flags=re.IGNORECASE,
    ),
    _kind(
        "option_secret",
        ("--",),
        rf"{OPTION}[ \t]{{1,4}}(?P<quote>[\"']?)"
        r"(?P<secret>(?<=[\"'])[^\"'\r\n]{4,4096}|[^\s\"'`,;)\]]{4,4096})",
        is_secret=_is_option_secret,
        flags=re.IGNORECASE,
    ),
    _kind(
        "basic_auth",
        (),
        r"authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:basic|digest|token|apikey)\s{1,4}"
        r"(?P<secret>[^\s\"',;]{6,})",
        is_secret=_is_new,
        flags=re.IGNORECASE,
    ),
    _kind(
        "assigned_secret",
        (),
        rf"(?P<name>{_TELLING}[\w.\-]{{0,32}})[\"']?\s{{0,4}}(?P<equals>=>|:=|==?|:)\s{{0,4}}"
        r"(?P<quote>[\"'`]?)(?P<secret>(?<=[\"'`])[^\"'`\r\n]{4,4096}|[^\s\"'`,;&)}\]]{4,4096})",
        is_secret=_is_assigned_secret,
        flags=re.IGNORECASE,
    ),
)
"""All kinds, in the order in which they are taken out."""
