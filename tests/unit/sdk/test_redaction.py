import hmac
import json

import pytest

from nervous_system import events
from nervous_system.schemas import SwarmEvent
from nervous_system.telemetry.redaction import (
    is_suspect,
    redact,
    redact_document,
    redact_event,
    redact_named,
)

KEY = b"k" * 32
DIGITS = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCDEF"

# Put together here so that no scanner of repositories takes this file for a leak.
SECRETS = {
    "aws_access_key": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "Y34FZKBOKMUTVV7A"],
    "anthropic_key": ["sk-" + "ant-api03-" + DIGITS, "sk-" + "ant-admin01-" + DIGITS],
    "openai_key": [
        "sk-" + "proj-" + DIGITS,
        "sk-" + "svcacct-" + DIGITS,
        "sk-" + "admin-" + DIGITS,
        "sk-" + DIGITS[:48],
        "sk-" + "None-" + DIGITS,
    ],
    "google_key": ["AI" + "zaSy" + DIGITS[:33]],
    "huggingface_token": ["hf" + "_" + DIGITS[:34]],
    "github_token": [f"gh{letter}" + "_" + DIGITS[:36] for letter in "pousr"]
    + ["github" + "_pat_" + DIGITS[:22] + "_" + DIGITS[:59]],
    "gitlab_token": ["gl" + "pat-" + DIGITS[:20], "gl" + "rt-" + DIGITS[:20]],
    "slack_token": ["xox" + "b-123456789012-" + DIGITS[:24], "xapp" + "-1-A0-" + DIGITS[:24]],
    "stripe_key": ["sk" + "_live_" + DIGITS[:24], "rk" + "_test_" + DIGITS[:24]],
    "npm_token": ["npm" + "_" + DIGITS[:36]],
    "pypi_token": ["pypi" + "-AgEIcHlwaS5vcmc" + DIGITS],
    "sendgrid_key": ["SG" + "." + DIGITS[:22] + "." + DIGITS[:43]],
    "digitalocean_token": [f"do{letter}" + "_v1_" + "0123456789abcdef" * 4 for letter in "opr"],
    "age_key": ["AGE" + "-SECRET-KEY-1" + "Q9" * 29],
    "jwt": ["ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + DIGITS[:43]],
}


@pytest.mark.parametrize(
    ("kind", "secret"), [(kind, one) for kind, many in SECRETS.items() for one in many]
)
@pytest.mark.parametrize("around", ["{}", "use {} for it", '"{}"', "({}),", "a\n{}\nb"])
def test_secret_is_taken_out_and_counted_under_its_kind(
    kind: str, secret: str, around: str
) -> None:
    counts: dict[str, int] = {}
    cleaned = redact(around.format(secret), counts)
    assert cleaned == around.format(f"[redacted:{kind}]")
    assert counts == {kind: 1}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [redacted:bearer]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic [redacted:basic_auth]"),
        ("postgres://bob:s3cr3t@db/x", "postgres://bob:[redacted:url_password]@db/x"),
        ("redis://:p@ss@h:1", "redis://:[redacted:url_password]@h:1"),
        (f"https://{DIGITS}@h/x", "https://[redacted:url_password]@h/x"),
        ("password=hunter2", "password=[redacted:assigned_secret]"),
        ("Server=db;Pwd=topsecret;T=3", "Server=db;Pwd=[redacted:assigned_secret];T=3"),
        ("DB_PASSWORD: 'with spaces'", "DB_PASSWORD: '[redacted:assigned_secret]'"),
        ('{"api_key": "abcd1234"}', '{"api_key": "[redacted:assigned_secret]"}'),
        ("client-secret := q9x8w7v6", "client-secret := [redacted:assigned_secret]"),
        (
            "curl -u admin:Sup3rS3cret! https://x",
            "curl -u admin:[redacted:login_password] https://x",
        ),
        ("curl -sSu 'bob:pw' u", "curl -sSu 'bob:[redacted:login_password]' u"),
        ("curl -X GET --user=a:b h", "curl -X GET --user=a:[redacted:login_password] h"),
        ("Cookie: session=abcdef1234567890abcdef", "Cookie: [redacted:cookie]"),
        ("sent Cookie: lang=en; sid=abc123456789 twice", "sent Cookie: [redacted:cookie] twice"),
        ("Set-Cookie: sid=abcdef1234567890; Path=/; Secure", "Set-Cookie: [redacted:cookie]"),
        ("x --password hunter2222 y", "x --password [redacted:option_secret] y"),
        ("--db-password 'hunter'", "--db-password '[redacted:option_secret]'"),
        ("--api-key aB3dE5fG7h", "--api-key [redacted:option_secret]"),
        ("TOKEN=abcDEF", "TOKEN=[redacted:assigned_secret]"),
        ("mysql -u root -phunter db", "mysql -u root -p[redacted:login_password] db"),
        ("mysqldump -h h -p'two words' d", "mysqldump -h h -p'[redacted:login_password]' d"),
        ("mariadb-dump db -phunter2", "mariadb-dump db -p[redacted:login_password]"),
        ("sshpass -p hunter ssh h", "sshpass -p [redacted:login_password] ssh h"),
        ("sshpass -phunter ssh h", "sshpass -p[redacted:login_password] ssh h"),
        (
            "docker login -u bob -p hunter r.io",
            "docker login -u bob -p [redacted:login_password] r.io",
        ),
        ("mongosh h -u bob -p 'hunter'", "mongosh h -u bob -p '[redacted:login_password]'"),
        ("redis-cli -h h -a hunter get x", "redis-cli -h h -a [redacted:login_password] get x"),
        ("password: one&two", "password: [redacted:assigned_secret]"),
        ("u?password=one1&x=two", "u?password=[redacted:assigned_secret]&x=two"),
        ('PASSWORD="correct horse battery"', 'PASSWORD="[redacted:assigned_secret]"'),
        ("<password>one1</password>", "<password>[redacted:assigned_secret]</password>"),
        ("SetEnv PASSWORD hunter22", "SetEnv PASSWORD [redacted:assigned_secret]"),
        ("xoxe.xoxp-1-abcdefABCDEF0123456789", "xoxe.[redacted:slack_token]"),
        ("psql; PGPASSWORD=hunter psql x", "psql; PGPASSWORD=[redacted:assigned_secret] psql x"),
    ],
)
def test_named_value_is_taken_out_and_its_name_stays(text: str, cleaned: str) -> None:
    assert redact(text, {}) == cleaned


@pytest.mark.parametrize("end", ["\n-----END RSA PRIVATE KEY-----", ""])
def test_private_key_is_taken_out_whole_also_when_it_is_cut_off(end: str) -> None:
    text = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nq7" + end
    assert redact(text, {}) == "[redacted:private_key]"


@pytest.mark.parametrize(
    "text",
    [
        "The adapter mixes retries with parsing; split it.",
        "max_tokens=4096, token_budget: 20000",
        "the token: next in the list",
        "password=$DB_PASSWORD",
        "secret = get_secret()",
        "api_key: os.environ['KEY']",
        "bearer authentication is used",
        "http://host:8080/a?b=c and mail@example.org",
        "task-force-one-hundred-and-twenty",
        "risk-assessment of the sk-learn port",
        "-----BEGIN CERTIFICATE-----",
        "eyJust a word",
        "git@github.com:owner/name.git",
        "key: value",
        "the --password option is deprecated; --token is read from the environment",
        "pass --token <TOKEN>, --api-key $OPENAI_KEY or --api-key OPENAI_API_KEY",
        "--max-tokens 4096 --token 4096 --token-type bearer --password-file /run/pw1",
        "--secret id=netrc1,src=/root/.netrc and --access-key ./keys/one1.txt",
        "docker run -u 1000:1000 image, and curl -u $USER:$PASSWORD https://x",
        "curl -o out:1 -H accept:text/html https://x; then -- sort -u a:b",
        "About the cookie: it has samesite=lax and is stale. A cookie = a crumb",
        "Cookie: lang=en; theme=dark",
        "mysql -u root -p db, mysql -p$PASSWORD, mysql -p <<< x; mysql -p | tee -plain",
        "mysql is slow with the -profile of today; the mysql image has -port 3306",
        "sshpass -p $PW ssh; docker login -u bob; docker run -p 80:80 image; redis-cli -p 1",
        "mongosh -p ${PW} --port 1; log in to mongo with -p",
        "SG. is a unit; the SG.1 release of AGE-SECRET-KEY- support; dop_v1_ is a prefix",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    counts: dict[str, int] = {}
    assert redact(text, counts) == text
    assert counts == {}


@pytest.mark.parametrize("piece", ["password=", "cookie=", "token: x;", "ey" + "J", "secret="])
def test_a_secret_within_a_value_is_not_looked_for_again(piece: str) -> None:
    """Each name in a long value would otherwise look through all of it."""
    counts: dict[str, int] = {}
    redact(piece * 50_000, counts)
    assert sum(counts.values()) <= 50_000 // 500 or piece == "token: x;"


def test_text_without_any_anchor_runs_no_pattern() -> None:
    assert not is_suspect("Splitting keeps each half testable; rewriting would cost two days.")


def test_telling_word_counts_only_in_the_name_before_a_separator() -> None:
    assert not is_suspect("The key point of the token was this: a = b counts")
    assert is_suspect("the api key : x")
    assert is_suspect('"secret.name"=x')


def test_value_under_a_telling_name_is_a_secret_whatever_it_looks_like() -> None:
    counts: dict[str, int] = {}
    assert redact_named("db.password", "hunter", counts) == "[redacted:named_value]"
    assert redact_named("branch", "hunter", counts) == "hunter"
    assert counts == {"named_value": 1}


def test_each_kind_of_text_about_work_is_cleaned() -> None:
    secret = SECRETS["npm_token"][0]
    for payload in (
        events.decision(rationale=secret, input_trigger=secret, rejected_alternatives=[secret]),
        events.system_signal("X", detail=secret),
        events.tombstone(secret, refused_kind="", refused_size_bytes=0, refused_digest=""),
        events.tool_call("x", arguments={"text": secret}, result=secret),
        events.tool_call("x", arguments=secret),
        events.task_transition(
            "t", state="DONE", trigger="end", document={"x": [secret]}, reason=secret
        ),
        events.run_transition(state="FAILED", document={"x": {secret: 1}}, reason=secret),
    ):
        event = events.build(payload, attributes={"note": secret})
        assert redact_event(event, lambda: KEY)
        assert secret not in events.to_json(event)


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ({"password": 'hun"ter\n2'}, {"password": "[redacted:named_value]"}),
        (
            {"tries": 3, "api_keys": ["abcdef"]},
            {"tries": 3, "api_keys": ["[redacted:named_value]"]},
        ),
        ({"env": "A=1\nTOKEN=abcDEF"}, {"env": "A=1\nTOKEN=[redacted:assigned_secret]"}),
        (
            ["curl", "-u", "bob:s3cr3t", "https://x"],
            ["curl", "-u", "bob:[redacted:login_password]", "https://x"],
        ),
        (
            ["mysql", "-u", "root", "-ptwo words"],
            ["mysql", "-u", "root", "-p[redacted:login_password]"],
        ),
        (
            ["docker", "login", "-p", "two words"],
            ["docker", "login", "-p", "[redacted:login_password]"],
        ),
        (
            {"command": ["tool", "--password", "two words"]},
            {"command": ["tool", "--password", "[redacted:option_secret]"]},
        ),
    ],
)
def test_a_document_without_its_secrets_is_still_json(value: object, cleaned: object) -> None:
    counts: dict[str, int] = {}
    assert json.loads(redact_document(json.dumps(value), counts)) == cleaned
    assert sum(counts.values()) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{ "key" : "value", "n": 1e400, "command": ["make", "--token", "<TOKEN>", "-j"] }',
        '{"password": "", "tokens": 3}',
        "[" * 100_000 + ' "key": 1',
    ],
)
def test_a_document_without_secrets_keeps_its_bytes(text: str) -> None:
    assert redact_document(text, {}) == text


@pytest.mark.parametrize(
    "text", ['{"a": "password=hunter2', '{"a": 1e400, "b": "password=hunter2"}']
)
def test_what_is_no_document_is_cleaned_as_text(text: str) -> None:
    assert "hunter2" not in redact_document(text, {})


def test_content_is_never_altered() -> None:
    patch = f"+{SECRETS['npm_token'][0]}\n"
    payload = events.state_change(target_type="F", target_resource="a", diff_patch=patch)
    event = events.build(payload)
    assert not redact_event(event, lambda: KEY)
    assert event.state_change.diff_patch == patch


def test_counts_and_digest_of_the_original_are_kept() -> None:
    one, two = SECRETS["npm_token"][0], SECRETS["github_token"][0]
    event = events.build(events.decision(rationale=f"{one} {two} {two}"))
    original = event.SerializeToString()
    redact_event(event, lambda: KEY)
    assert dict(event.redactions) == {"npm_token": 1, "github_token": 2}
    assert event.original_digest == hmac.digest(KEY, original, "sha256")


def test_clean_event_is_left_as_it_is_and_the_key_is_not_asked_for() -> None:
    def no_key() -> bytes:
        raise AssertionError

    event = events.build(events.decision(rationale="the token: next one"))
    before = SwarmEvent.FromString(event.SerializeToString())
    assert not redact_event(event, no_key)
    assert event == before
