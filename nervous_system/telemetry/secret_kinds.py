r"""What secrets look like; pure data.

Patterns are over bytes, so that they fit text of any encoding, and stand for text as it is as well
as for text inside of JSON, at any depth of quoting: a quote may have backslashes before it, and a
value ends where `\n` stands as it does at a new line. No find ever ends inside of an escape, and
none crosses the string that it began in: what is JSON stays JSON.

Speed is a matter of how a pattern begins. Each one is led by a character or word that is rare in
ordinary text, for the engine of Python's expressions finds literals some ten times faster than
alternatives. Kinds that begin with a literal of their own (`ghp_`) share one pattern per leading
character, with what stands before it looked at afterwards; values under telling names are found by
the name, in a copy of the text in lower case.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

MARK = "[redacted:"
"""How what stands for a secret begins; its kind and `]` follow."""

Check = Callable[["re.Match[bytes]"], bool]

# --- kinds that begin with a literal of their own -------------------------------------------------

_BOUND = r"[A-Za-z0-9]"


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A secret that is known by how it begins."""

    kind: str
    before: str
    """Pattern of a fixed width that stands before `lead`; part of the secret."""
    lead: str
    """One character, rare in ordinary text."""
    after: str
    """Pattern of the rest."""
    is_bounded: bool = False
    """No letter or digit stands before it, unless that belongs to an escape or a colour."""


_KEY = r"[A-Za-z0-9_\-]"
_SLASH = r"(?:\\*+/)"
"""Some writers of JSON put a backslash before each slash."""
_BASE64 = r"(?:[A-Za-z0-9/+]|\\++/)"

PREFIXED = (
    Prefixed("anthropic_key", "sk", "-", rf"ant-{_KEY}{{16,}}"),
    Prefixed(
        "openai_key",
        "sk",
        "-",
        rf"(?:(?:proj|svcacct|admin|service|None|or-v1|ant)-{_KEY}{{20,}}"
        rf"|(?=[A-Za-z_\-]{{0,200}}[0-9]){_KEY}{{20,}}|[A-Za-z0-9]{{32,}})",
        is_bounded=True,
    ),
    Prefixed("openai_key", "sess", "-", r"[A-Za-z0-9]{32,}", is_bounded=True),
    Prefixed("google_key", "", "A", rf"Iza{_KEY}{{35}}"),
    Prefixed("google_key", "GOCSPX", "-", rf"{_KEY}{{20,}}"),
    Prefixed("google_key", "ya29", ".", rf"{_KEY}{{20,}}"),
    Prefixed("huggingface_token", "hf", "_", r"[A-Za-z0-9]{30,}", is_bounded=True),
    Prefixed("huggingface_token", "api", "_", r"org_[A-Za-z0-9]{30,}", is_bounded=True),
    Prefixed("github_token", "gh[pousr]", "_", r"[A-Za-z0-9_]{30,}"),
    Prefixed("github_token", "github", "_", r"pat_[A-Za-z0-9_]{22,}"),
    *(
        Prefixed("gitlab_token", name, "-", r"[A-Za-z0-9_.\-]{18,}[A-Za-z0-9]")
        for name in (
            *("glpat", "gldt", "glrt", "glrtr", "glcbt", "glptt", "glft"),
            *("glsoat", "glimt", "glagent", "gloas", "glffct", "glwt"),
        )
    ),
    Prefixed("slack_token", "xox[abcdeoprs]", "-", r"[A-Za-z0-9\-]{10,}"),
    Prefixed("slack_token", "xapp", "-", r"[0-9]-[A-Za-z0-9\-]{10,}"),
    Prefixed("stripe_key", "[srp]k", "_", r"(?:live|test)_[A-Za-z0-9]{10,}", is_bounded=True),
    Prefixed("stripe_key", "whsec", "_", r"[A-Za-z0-9+/=]{20,}"),
    Prefixed("npm_token", "npm", "_", r"[A-Za-z0-9]{30,}", is_bounded=True),
    Prefixed("pypi_token", "pypi", "-", rf"{_KEY}{{40,}}"),
    Prefixed(
        "slack_token",
        "hooks",
        ".",
        rf"slack\.com{_SLASH}(?:services|workflows|triggers)(?:\w|{_SLASH}){{20,}}",
    ),
    Prefixed("sendgrid_key", "SG", ".", rf"{_KEY}{{16,}}\.{_KEY}{{16,}}", is_bounded=True),
    Prefixed("digitalocean_token", "do[opr]", "_", r"v1_[a-f0-9]{32,}"),
    Prefixed("age_key", "AGE", "-", r"SECRET-KEY-1[A-Z0-9]{40,}"),
    Prefixed(
        "aws_access_key",
        "",
        "A",
        r"(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        is_bounded=True,
    ),
    Prefixed("aws_session_token", "IQo", "J", rf"{_BASE64}{{80,}}={{0,2}}"),
    Prefixed("aws_session_token", "F[wQ]oG", "Z", rf"XIvYXdz{_BASE64}{{60,}}={{0,2}}"),
    Prefixed(
        "jwt",
        "ey",
        "J",
        rf"{_KEY}{{8,1024}}+\.{_KEY}{{8,}}+(?:\.{_KEY}*+){{1,3}}+",
    ),
)
"""Specific kinds stand before general ones: the first that fits is the kind."""


def _alternative(number: int, rule: Prefixed) -> str:
    """Return a rule as it stands behind its lead: the group holds what of it is already behind."""
    back = rf"{rule.before}{re.escape(rule.lead)}"
    bound = rf"(?:(?<!{_BOUND}{back})|(?<=\\[bfnrt]{back})|(?<=[0-9;\[]m{back}))"
    start = rf"(?<=(?P<{rule.kind}_{number}>{back}))"
    return f"{start}{bound if rule.is_bounded else ''}{rule.after}"


_LONG = r"(?=[\w\-.+/\\]{10})"
"""What follows every lead of a secret, and few others."""


def led_patterns(rules: tuple[Prefixed, ...]) -> tuple[tuple[bytes, "re.Pattern[bytes]"], ...]:
    """Return a pattern per leading character; the matched group is named after the kind."""
    found = []
    for lead in dict.fromkeys(rule.lead for rule in rules):
        own = [(number, rule) for number, rule in enumerate(rules) if rule.lead == lead]
        found.append((lead.encode(), re.compile(_led(re.escape(lead), own).encode())))
    return tuple(found)


def _led(lead: str, rules: list[tuple[int, Prefixed]]) -> str:
    """Return the pattern of rules with one lead; the character before it tells most text apart."""
    if not all(rule.before for _, rule in rules):
        return f"{lead}{_LONG}(?:{'|'.join(_alternative(*one) for one in rules)})"
    by_ending: dict[str, list[str]] = {}
    for number, rule in rules:
        by_ending.setdefault(_ending(rule.before), []).append(_alternative(number, rule))
    quick = "".join(by_ending)
    groups = (f"(?<=[{end}]{lead})(?:{'|'.join(own)})" for end, own in by_ending.items())
    return f"{lead}(?<=[{quick}]{lead}){_LONG}(?:{'|'.join(groups)})"


def _ending(before: str) -> str:
    """Return what may be the last character of a pattern, as it stands inside of brackets."""
    return before[before.rindex("[") + 1 : -1] if before.endswith("]") else before[-1]


def kind_of_group(group: str | None) -> str:
    """Return the kind that a group of a led pattern stands for."""
    return (group or "").rpartition("_")[0]


PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:[^\"'`\-\\]|\\++[^\"'`]|\\++[\"'](?!\s*[,}\]:])|-(?!----END))*+"
    rb"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
"""A block of a private key, also one that is cut off; it ends with the string that it is in."""
AWS_SECRET_BEHIND_KEY = re.compile(
    rb"(?P<between>[^A-Za-z0-9/+]{1,12}(?:[A-Za-z_]{0,40}[^A-Za-z0-9/+]{1,12})?)"
    rb"(?P<secret>" + _BASE64.encode() + rb"{40})(?![A-Za-z0-9/+=])"
)
"""The secret half of a key, where both halves stand side by side."""

# --- values under telling names -------------------------------------------------------------------

_SPACE = r"(?:[ \t]|\\++[nrt]|[\r\n])"
_KEY_OWNERS = (
    *("api", "access", "auth", "account", "private", "encryption"),
    *("signing", "master", "service", "shared"),
)
_OWNED_KEY = "|".join(rf"(?<={owner}key)|(?<={owner}[_\- ]key)" for owner in _KEY_OWNERS)
_TAIL = r"(?P<tail>[\w.\-]{0,32})"
_SEPARATOR = rf"(?:\\*+[\"'`]\]?)?{_SPACE}{{0,4}}(?P<equals>=>|:=|==?|:)(?!:){_SPACE}{{0,4}}"
_NAME_END = rf"{_TAIL}{_SEPARATOR}"
_WORD_BEHIND = r"[a-z0-9/+_\-!@#$%^&*~?]"
_SHOWN_END = (
    rf"{_TAIL}(?:{_SEPARATOR}"
    # a word with a digit behind a space, as in `set password x`, or an element of XML
    rf"|[ \t]{{1,2}}(?={_WORD_BEHIND}{{0,64}}[0-9])(?={_WORD_BEHIND}{{8,}})"
    r"|(?:>|\\++u003e)(?=[^<>\s]{4,256}?(?:<|\\++u003c)\\*/))"
)
_KEN = rf"e(?:n(?<=token)(?!s)|y(?:{_OWNED_KEY})){_NAME_END}"
_NAMED = (
    rf"pass(?:w(?:or)?d|phrase|(?<![a-z0-9]pass)(?=\\*+[\"'`]?\s{{0,2}}[:=])){_SHOWN_END}",
    rf"cre(?:t(?<=secret)|dential){_SHOWN_END}",
    rf"pwd{_NAME_END}",
    rf"z(?<=authoriz)ation{_NAME_END}",
)
WORDS_BEFORE_SPACE = (b"pass", b"cre")
"""One of them is in all text, in lower case, with such a value that has no `=` or `:` before it."""
NAMED_LEADS = tuple(re.compile(text.encode()) for text in (*_NAMED, rf"k{_KEN}"))
"""Over text in lower case; behind a match the value begins."""
NAMES = (
    *NAMED_LEADS[:-1],
    re.compile(rf"k(?:{_KEN}|(?<=cook)ie(?:\\*+[\"'])?[ \t]{{0,4}}[:=])".encode()),
)
"""Over text in lower case: one of them fits all text with a named value or a cookie."""

_MOST = rb"{0,8192}"
"""Pieces of a value that are looked at; a piece is a character, or an escape as a whole."""
VALUE = re.compile(
    rb"(?:"
    # in double quotes: ends at a quote that is not quoted more deeply than the first
    rb"(?P<run>\\*+)(?P<quote>\")(?P<double>(?:[^\\\"\r\n]|(?P=run)\\++[\"nrt]|\\++[^\\\"\r\nnrt])"
    + _MOST
    + rb"+)"
    rb"|\\*+(?P<other>['`])(?P<single>(?:[^\\\"'`\r\n]|\\++[^\\\"'`\r\nnrt])" + _MOST + rb"+)"
    rb"|(?P<bare>(?:[^\\\s\"'`,;&)}\]]|\\++(?!u002[0267cC]|u003[bBcCeE])[^\\\s\"'`,;&)}\]nrt])"
    + _MOST
    + rb"+)"
    rb")"
)
"""What stands behind a separator; one of the groups `double`, `single`, `bare` is the secret."""
VALUE_OF_LINE = re.compile(VALUE.pattern.replace(b"`,;&)}", b"`,;)}"))
"""The same behind a colon, where no `&` begins another value."""

BASIC_AUTH = re.compile(
    rb"\\*+[\"']?(?:basic|digest|token|apikey)[ \t]{1,4}(?P<secret>[^\s\"',;\\]{6,})", re.IGNORECASE
)
"""Credentials of an `Authorization` header, behind its colon."""
AWS_SECRET_VALUE = re.compile(_BASE64.encode() + rb"{40}\Z")

_TELLING = (
    r"(?:passw(?:or)?d|passphrase|(?<![a-z])pass(?![a-z])|pwd|secret|token(?!s)|credential"
    rf"|authorization|(?:{'|'.join(_KEY_OWNERS)})[_\- ]?key)"
)
TELLING_NAME = re.compile(_TELLING, re.IGNORECASE)
"""Names whose values are secrets, as keys of attributes."""

_PLACEHOLDER = re.compile(
    rb"""(?ix) [$<{\[(] | %[sdr(] | (?:none|null|nil|true|false|undefined|required|optional
    |str|string|bool|int|bytes|any|bearer|basic|digest|redacted|changeme|example|placeholder
    |your[_\-\ ]\w+)\b(?!-)
    | os\. | env\. | process\.env | [a-z_][\w.]*[(\[] | x{3,}$ | \.\.\. | \\*u003c | \*{2,}""",
)
_REFERENCE = re.compile(rb"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)++\Z")
"""A name with dots, as code writes where a value comes from."""
_IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z_]*+\Z")
_SENTENCE = re.compile(rb"[A-Za-z,.'\-]+(?:\s+[A-Za-z,.'\-:]+){2,}\s*\Z")
_ABOUT_PASSWORDS = re.compile(
    rb"(?i)\b(?:passwords?|passphrases?|enter|your|must|should|required|forgot|invalid|incorrect"
    rb"|wrong|please|the|is|of|to|for|and|a)\b"
)
_FORMAT = re.compile(rb"[^\w]*(?:%[sdr]|\{[\w.!:]*\}|\$\{?\w+\}?|<[^<>]*>)[^\w]*\Z")
_TYPE = re.compile(rb"(?:[A-Z][a-z]{2,}\d{0,2}){1,6}[A-Z]{0,3}\Z|[A-Za-z_]\w*+<")
_LETTERS_AND_DIGITS = re.compile(rb"(?=.*[A-Za-z])(?=.*[0-9])[^.()]*\Z", re.DOTALL)
_CONSTANT = re.compile(rb"[A-Z]+(?:_[A-Z]+)++\Z")
_NAMES_A_SECRET = re.compile(
    rb"(?:[a-z]+_)+(?:token|key|secret|password|credential)s?\Z|[a-z]+(?:[A-Z][a-z]+)+\Z"
)
_ABOUT_SECRET = re.compile(
    rb"(?:token|secret|key|password|passwd|credential)s?(?:iz\w*|ring\w*|[\w.\-]*?(?:types?|names?"
    rb"|files?|paths?|ur[il]|counts?|limit|budget|size|len(?:gth)?|usage|ends|class|kind|format"
    rb"|expir\w+|ttl|fields?|header|param\w*|index|position|hint|label|prompt|policy|manager"
    rb"|provider|endpoint|placeholder|encoding|options?|schema))\Z"
)
"""Names of what belongs to a secret without being one."""
MIN_VALUE_BYTES = 4


def looks_random(text: bytes) -> bool:
    """Whether a word is rather a secret than one of a language."""
    has_digit = any(48 <= character <= 57 for character in text)
    return has_digit or len(text) >= 20 or (text.lower() != text and not text.istitle())


def is_placeholder(value: bytes) -> bool:
    """Whether something only says where a secret would stand, or comes from."""
    return MARK.encode() in value or bool(_PLACEHOLDER.match(value) or _FORMAT.match(value))


def is_named_secret(
    name: bytes, equals: bytes, value: bytes, *, is_quoted: bool, follows: bytes
) -> bool:
    """Whether a value under a telling name is a secret, and not code that speaks of one.

    Args:
        name: in lower case, from the telling word on.
        equals: the separator, with the space around it.
        value: without its quotes.
        is_quoted: it stood in quotes.
        follows: the byte behind the value.
    """
    if len(value) < MIN_VALUE_BYTES or is_placeholder(value):
        return False
    if _ABOUT_SECRET.match(name) or (value.isdigit() and name.startswith(b"token")):
        return False  # max_token=4096 counts
    is_password = name.startswith((b"pass", b"pwd"))
    if name == b"pass" and (value.isdigit() or value.startswith(b"0x")):
        return False  # how many tests there were, or a constant
    if not equals.strip():
        return bool(_LETTERS_AND_DIGITS.match(value))
    if is_quoted:
        return not _is_prose_or_name(name, value, is_password=is_password)
    if _is_code(name, equals, value, follows):
        return False
    if is_password:
        return equals.strip() != b":" or looks_random(value) or not _TYPE.match(value)
    return b"=" in equals.strip() or looks_random(value)


def _is_prose_or_name(name: bytes, value: bytes, *, is_password: bool) -> bool:
    """Whether what stands in quotes is a sentence, or the name of a variable or field."""
    if _SENTENCE.match(value):
        return not is_password or bool(_ABOUT_PASSWORDS.search(value))
    if is_password:
        return value.lower() in (name, b"password", b"passwd")
    if _CONSTANT.match(value) or _NAMES_A_SECRET.match(value):
        return True
    return bool(_IDENTIFIER.match(value)) and not looks_random(value) and b"_" in value


def _is_code(name: bytes, equals: bytes, value: bytes, follows: bytes) -> bool:
    """Whether a value without quotes is an expression: `token = self.next`, `secret=secret)`."""
    word = value.rstrip(b".:\\")
    if equals.strip() == b"==":
        return True
    if _REFERENCE.match(word) or _NAMES_A_SECRET.match(word):
        return True
    is_spaced = equals.endswith((b" ", b"\t"))
    if is_spaced and _TYPE.match(word) and follows not in (b"", b"\n", b"\\", b'"'):
        return True
    if not _IDENTIFIER.match(word):
        return False
    if equals.strip() == b":" and follows in (b" ", b","):
        return not looks_random(word)
    is_assignment = equals.startswith((b" ", b"\t")) and equals.endswith((b" ", b"\t"))
    is_argument = follows in (b",", b")", b"]", b"}")
    return word.lower() == name or (
        (is_assignment or is_argument) and (b"_" in word or not looks_random(word))
    )


# --- what is searched where its words stand -------------------------------------------------------

_PART = r"(?:[^\r\n|;\\]|\\++[^\\nr])"
_BEFORE_OPTION = rf"{_PART}{{0,400}}?(?: |(?P<around>\\*+\"))"
"""What may lie between the name of a program and one of its options."""
_WORD = (
    r"(?P<quote>\\*+[\"'])?"
    r"(?P<secret>(?(around)[^\\\"\r\n]|(?(quote)[^\\\"'\r\n]|[^\\\s\"'`,;)\]|])){1,256})"
)
"""A word of a command line, in quotes of its own, in those `around` the option, or in none."""

_NEXT_WORD = r"\\*+\",\s?\\*+\""
"""What lies between two words of a command that is written as a list."""
OPTION = (
    r"--(?<![\w-]--)(?P<name>(?i:[a-z\-]{0,32}?(?:passw(?:or)?d|passphrase|secret|token|api-?key"
    r"|access-key|secret-key)))"
)
"""A long option whose value is a secret."""
_OPTION_END = r"(?:[ \t]{1,4}(?:\\*+[\"'])?|\\*+[\"'],\s{0,4}\\*+[\"'])"
_NO_OPTION_VALUE = re.compile(rb"[./~@]|[A-Z_]+$|(?:id|type|file|env)[=:]|-")
"""Paths, names of variables, and what options of build tools say in the place of a secret."""


def _is_new(match: "re.Match[bytes]") -> bool:
    return MARK.encode() not in match["secret"]


def _is_url_secret(match: "re.Match[bytes]") -> bool:
    secret = match["secret"] if match["secret"] is not None else match["user"]
    return not is_placeholder(secret)


def _is_bearer_secret(match: "re.Match[bytes]") -> bool:
    return looks_random(match["secret"]) and _is_new(match)


def _is_option_secret(match: "re.Match[bytes]") -> bool:
    value = match["secret"]
    if is_placeholder(value) or _NO_OPTION_VALUE.match(value):
        return False
    if value.isdigit() and match["name"].lower().endswith(b"token"):
        return False
    is_quoted = match.string[match.start("secret") - 1 : match.start("secret")] in (b'"', b"'")
    return is_quoted or looks_random(value)


def _is_login_password(match: "re.Match[bytes]") -> bool:
    return not is_placeholder(match["secret"])


def _is_attached_password(match: "re.Match[bytes]") -> bool:
    """Behind options anything is a password; in a sentence `-profile` is most probably none."""
    is_command = match["options"] is not None or looks_random(match["secret"])
    return is_command and _is_login_password(match)


def _is_cookie_secret(match: "re.Match[bytes]") -> bool:
    values = (pair.partition(b"=")[2] for pair in match["secret"].split(b";"))
    return any(len(one) >= 8 and _is_value_of_cookie(one) for one in values)


def _is_value_of_cookie(value: bytes) -> bool:
    return MARK.encode() not in value and looks_random(value)


@dataclass(frozen=True, slots=True)
class Searched:
    """A secret that is known by what stands around it; group `secret` (or `user`) goes."""

    kind: str
    words: tuple[bytes, ...]
    """One of them is in every text that the pattern fits; in lower case if `is_folded`."""
    pattern: "re.Pattern[bytes]"
    is_secret: Check
    is_folded: bool = False


def _searched(
    kind: str, words: tuple[str, ...], pattern: str, is_secret: Check, *, is_folded: bool = False
) -> Searched:
    flags = re.IGNORECASE if is_folded else 0
    encoded = tuple(word.encode() for word in words)
    return Searched(kind, encoded, re.compile(pattern.encode(), flags), is_secret, is_folded)


_URL_PART = r"(?:[^\s/\\\"'<>@]|\\++u00[0-9a-f]{2})"
_URL_USER = r"[^\s/:@\[\\\"'<>]"
ADDRESS_REACH = 1_100
"""How far, in bytes, an `@` may be from the `//` before it; names and passwords have bounds."""
_IN_URL = (
    rf"(?:{_URL_USER}{{0,256}}:(?P<secret>{_URL_PART}{{1,512}}"
    rf"(?:@{_URL_PART}{{1,256}}(?=@))?)|(?P<user>{_URL_USER}{{20,512}}))@"
)
AT_SIGN = (
    _searched("url_password", ("://",), rf"://{_IN_URL}", _is_url_secret),
    _searched("url_password", (":\\/",), rf":\\{{1,3}}/\\{{1,3}}/{_IN_URL}", _is_url_secret),
    _searched(
        "url_password",
        ("@tcp(", "@unix("),
        r"[\w.\-]{1,64}:(?P<secret>[^\s:/\\\"'<>]{1,256})@(?:tcp|unix)\(",
        _is_url_secret,
    ),
)
"""Passwords in addresses: all of them stand before an `@`."""

OPTIONS = (
    _searched(
        "login_password",
        ("curl",),
        rf"\bcurl\b{_PART}{{0,400}}?(?:\s|\\*+\")(?:-[A-Za-z]{{0,8}}[uU]|--(?:proxy-)?user)"
        r"(?:[ \t=]{0,4}|\\*+\",\s{0,2})(?:\\*+[\"'])?[^\s:\"'/\\]{1,128}:"
        r"(?P<secret>[^\\\s\"']{1,256})",
        _is_login_password,
    ),
    _searched(
        "login_password",
        ("mysql", "mariadb"),
        rf"\b(?:mysql|mariadb)[\w\-]{{0,16}}(?P<options>(?=\s\"?-|\\*+\",))?{_BEFORE_OPTION}-p{_WORD}",
        _is_attached_password,
    ),
    _searched(
        "login_password",
        ("sshpass", "mongo", "login"),
        r"\b(?:sshpass|mongo(?:sh|dump|restore|export|import)?|(?:docker|podman|registry)"
        rf"(?:\s+|{_NEXT_WORD})login)\b{_BEFORE_OPTION}-p(?:[ \t=]{{0,4}}|{_NEXT_WORD}){_WORD}",
        _is_login_password,
    ),
    _searched(
        "login_password",
        ("redis-cli",),
        rf"\bredis-cli\b{_BEFORE_OPTION}(?:-a|--pass)(?:[ \t=]{{1,4}}|{_NEXT_WORD}){_WORD}",
        _is_login_password,
    ),
    _searched(
        "option_secret",
        ("--",),
        rf"{OPTION}{_OPTION_END}"
        r"(?P<secret>(?<=[\"'])[^\\\"'\r\n]{4,4096}|[^\\\s\"'`,;)\]]{4,4096})",
        _is_option_secret,
    ),
)
"""Passwords given to programs: all of them follow an option."""
ANY_OPTION = re.compile(
    rb"-(?<![A-Za-z0-9_]-)(?:p|a[ \t=\\\"]|[A-Za-z]{0,8}[uU]"
    rb"|-(?i:[a-z\-]{0,32}?(?:pass|secret|token|key|user)))"
)
"""Fits all text that one of them fits."""

WORDED = (
    _searched(
        "bearer",
        ("bearer",),
        r"bearer(?:[ \t]{1,4}|%20|\+)(?P<secret>[A-Za-z0-9._~+/=\-]{8,})",
        _is_bearer_secret,
        is_folded=True,
    ),
    _searched(
        "cookie",
        ("cookie",),
        r"cookie(?:\\*+[\"'])?[ \t]{0,4}[:=][ \t]{0,4}(?:\\*+[\"'])?"
        r"(?P<secret>[^\s=;,\\\"']{1,128}=[^\s;\\\"']{1,4096}"
        r"(?:;[ \t]{0,4}[^\s=;\\\"']{1,128}(?:=[^\s;\\\"']{0,4096})?){0,100})",
        _is_cookie_secret,
        is_folded=True,
    ),
)
"""Secrets behind a word in any letter case, with which the pattern begins."""
