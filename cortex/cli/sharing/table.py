"""What the commands by which agents share a project take; `cortex.cli.plain` reads it."""

from cortex.cli.plain import Option, PlainCommand, PlainGroup, Word

_STEPS = "cortex.cli.sharing.step_commands"
_MAIL = "cortex.cli.sharing.mail_commands"
_MEMORY = "cortex.cli.sharing.memory_commands"
_ARTIFACTS = "cortex.cli.sharing.artifact_commands"
_AGENTS = "cortex.cli.sharing.agent_commands"

STEP = Word("step", "Name of the step: lower-cased, `-` for each dot.", "STEP")
KEY = Word("key", "Names with dots between them, such as api.port.", "KEY")
PATH = Word("path", "Only this key and what lies below it.", "[PATH]", required=False)

JSON = Option(("--json",), "Print JSON; messages stay on stderr.", called="as_json")
PROJECT = Option(
    ("--project",), "The project; default: as `swarm init` said, else the directory's name.",
    str, "", "NAME",
)  # fmt: skip
BECAUSE = Option(("--because",), "Id of an event that led to it; repeatable.", str, (), "EVENT")
TOKEN = Option(
    ("--token",), "Token of the claim; default: the one that this home keeps.", int, 0, "N", 0
)
LEASE = Option(
    ("--lease",), "How long the claim holds; every command of yours prolongs it.",
    float, 1800.0, "SECONDS", 0,
)  # fmt: skip
TIMEOUT = Option(("--timeout",), "How long to wait at most.", float, 300.0, "SECONDS", 0)
REVISION = Option(
    ("--if-revision",), "Only if it is at this revision; 0: only if there is none.",
    int, None, "N", 0,
)  # fmt: skip
ABOUT = Option(("--step",), "The step that it is about.", str, "", "STEP")
SHARED = (PROJECT, JSON)

init = PlainCommand(
    f"{_AGENTS}:init",
    "Name the project and yourself for later commands.",
    "Name the project and yourself for later commands in this home.\n\n"
    "SWARM_AGENT goes before the agent that is named here, on each call.",
    options=(
        PROJECT,
        Option(("--agent",), "Who you are; default: SWARM_AGENT, else your user.", str, "", "NAME"),
        JSON,
    ),
)
agents = PlainCommand(
    f"{_AGENTS}:agents",
    "List who takes part, who is there now, and what each does.",
    "List who takes part in the project, who is there now, and what each does.",
    options=SHARED,
)
guide = PlainCommand(
    f"{_AGENTS}:guide",
    "Print a text that teaches an agent these commands.",
    "Print a text that teaches an agent how to work with others: put it into its instructions.",
    options=(PROJECT,),
)
claim = PlainCommand(
    f"{_STEPS}:claim",
    "Claim a step: of all who try, one has it.",
    "Claim a step: of all who try at once, one has it; the others end with 1 and read who.\n\n"
    "With a command behind `--`, the claim is kept while that runs, and its exit code is this "
    "one's. If it fails or is interrupted, the step is released; if it succeeds, the step is "
    "yours still, or complete with --complete.",
    (STEP, Word("command", "What to run meanwhile, behind `--`.", "[-- COMMAND...]", True, False)),
    (
        LEASE,
        TOKEN._replace(help="Token of your own claim of the step, to prolong it."),
        Option(("--complete",), "Complete the step when the command succeeds."),
        BECAUSE,
        *SHARED,
    ),
)
release = PlainCommand(
    f"{_STEPS}:release",
    "Let go of a step that you hold.",
    "Let go of a step that you hold, without a result: anyone may claim it.",
    (STEP,),
    (TOKEN, BECAUSE, *SHARED),
)
complete = PlainCommand(
    f"{_STEPS}:complete",
    "End a step that you hold, with a record for the next agent.",
    "End a step that you hold, with a record for whoever comes next.",
    (STEP,),
    (
        Option(("--note",), "What there is to know.", str, "", "TEXT"),
        Option(("--to",), "The agent that goes on.", str, "", "AGENT"),
        Option(("--next-action",), "What it should do.", str, "", "TEXT"),
        Option(("--blocked",), "It cannot be done: whoever waits for it is told."),
        Option(("--needs-review",), "It is done, and somebody should look at it."),
        Option(("--changed-file",), "A file that was changed; repeatable.", str, (), "PATH"),
        Option(("--changed-files-from-git",), "Name the files that git shows as changed here."),
        Option(("--force",), "Also if you do not hold it."),
        TOKEN,
        BECAUSE,
        *SHARED,
    ),
)
step_status = PlainCommand(
    f"{_STEPS}:step_status",
    "Show a step: state, holder, what was handed over.",
    "Show a step: its state, who holds it until when, what was handed over.\n\n"
    "A step that nothing has happened to is pending.",
    (STEP,),
    SHARED,
)
steps = PlainCommand(
    f"{_STEPS}:steps", "List the steps of the project.", "List the steps of the project.",
    options=(
        Option(
            ("--state",), "Only: pending, in_progress, complete, blocked, needs_review.",
            str, "", "STATE",
        ),
        *SHARED,
    ),
)  # fmt: skip
wait_for = PlainCommand(
    f"{_STEPS}:wait_for",
    "Wait until steps are complete.",
    "Wait until all of some steps are complete; end with 1 at once if one is blocked.",
    (Word("steps", "Names of the steps.", "STEP...", True),),
    (TIMEOUT, *SHARED),
)
send = PlainCommand(
    f"{_MAIL}:send",
    "Tell an agent something, or everybody.",
    "Tell an agent something, or everybody: _broadcast.",
    (
        Word("recipient", "Name of the agent; _broadcast: everybody.", "TO"),
        Word("text", "What to say; `-` reads it from standard input.", "TEXT"),
    ),
    (
        ABOUT,
        Option(("--hold",), "Also to an agent that nobody has heard of yet."),
        BECAUSE,
        *SHARED,
    ),
)
inbox = PlainCommand(
    f"{_MAIL}:inbox",
    "Read what others have told you.",
    "Read what others have told you, oldest first. What is shown counts as read.",
    options=(
        Option(("--new",), "Only what you were not shown before."),
        Option(("--delete",), "Remove what is shown from your inbox, and from no other."),
        Option(("--remove",), "Remove this message, and show none; repeatable.", str, (), "ID"),
        Option(("--follow", "-f"), "Go on with what comes, as JSON lines with --json."),
        Option(("--limit", "-n"), "With --follow: end after so many.", int, 0, "N", 0),
        Option(
            ("--timeout",), "With --follow: end after so long; 0 goes on.",
            float, 0.0, "SECONDS", 0,
        ),
        *SHARED,
    ),
)  # fmt: skip
memory = PlainGroup(
    "Share values: get, set, list, history, delete, watch.",
    {
        "get": PlainCommand(
            f"{_MEMORY}:get", "Print a value.", "Print the value under a key.", (KEY,), SHARED
        ),
        "set": PlainCommand(
            f"{_MEMORY}:set_",
            "Keep a value, up to 1 MiB.",
            "Keep a value under a key, up to 1 MiB: text, or JSON with --type json.",
            (KEY, Word("value", "The value; `-` reads it from standard input.", "VALUE")),
            (
                Option(("--type",), "text or json.", str, "text", "TYPE", called="written_as"),
                REVISION,
                BECAUSE,
                *SHARED,
            ),
        ),
        "list": PlainCommand(
            f"{_MEMORY}:list_", "List values.", "List the values.", (PATH,), SHARED
        ),
        "history": PlainCommand(
            f"{_MEMORY}:history",
            "List what a key has held, when, by whom.",
            "List all that a key has held, oldest first, with who set it and when.",
            (KEY,),
            SHARED,
        ),
        "delete": PlainCommand(
            f"{_MEMORY}:delete",
            "Delete a value.",
            "Delete the value under a key; its history stays.",
            (KEY,),
            (REVISION, BECAUSE, *SHARED),
        ),
        "watch": PlainCommand(
            f"{_MEMORY}:watch",
            "Follow changes of values.",
            "Follow changes of values from now on; JSON lines with --json.",
            (PATH,),
            (
                Option(("--limit", "-n"), "End after so many; 0 goes on.", int, 0, "N", 0),
                Option(("--timeout",), "End after so long; 0 goes on.", float, 0.0, "SECONDS", 0),
                *SHARED,
            ),
        ),
    },
)
artifact = PlainGroup(
    "Share files of any size: upload, download, list.",
    {
        "upload": PlainCommand(
            f"{_ARTIFACTS}:upload",
            "Store a file for others.",
            "Store a file for others, as the next version of its name.",
            (Word("file", "The file.", "FILE"),),
            (
                Option(("--name",), "Name of the artifact; default: the file's.", str, "", "NAME"),
                Option(("--step",), "The step that it came out of.", str, "", "STEP"),
                BECAUSE,
                *SHARED,
            ),
        ),
        "download": PlainCommand(
            f"{_ARTIFACTS}:download",
            "Fetch a file, checked against its digest.",
            "Fetch a file, checked against its digest: it is there whole, or not at all.",
            (Word("name", "Name of the artifact.", "NAME"),),
            (
                Option(("--output", "-o"), "Where to; default: its name, here.", str, "", "PATH"),
                Option(("--version",), "Which version; default: the newest.", int, 0, "N", 0),
                Option(("--force",), "In the place of a file that is there."),
                *SHARED,
            ),
        ),
        "list": PlainCommand(
            f"{_ARTIFACTS}:list_",
            "List artifacts and their versions.",
            "List artifacts and their versions, oldest first.",
            options=(
                Option(("--step",), "Only those of this step.", str, None, "STEP"),
                Option(("--name",), "Only versions of this name.", str, "", "NAME"),
                *SHARED,
            ),
        ),
    },
)
