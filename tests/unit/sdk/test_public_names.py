import subprocess
import sys

import nervous_system as ns

HEAVY = ("nats", "google", "opentelemetry", "asyncio", "difflib")


def test_every_public_name_can_be_had() -> None:
    for name in ns.__all__:
        assert getattr(ns, name) is not None
    assert ns.__all__ == sorted(ns.__all__)
    assert set(ns.__all__) <= set(dir(ns))


def test_unknown_name_is_refused() -> None:
    assert not hasattr(ns, "no_such_name")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, nervous_system; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd="."
    )
    assert done.stdout.strip() == "[]"


def test_connecting_needs_neither_the_sdk_of_opentelemetry_nor_an_exporter() -> None:
    code = (
        "import sys, nervous_system as ns; ns.connect;"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
