from nervous_system.vitals import Vitals, memory_usage_mb


def test_memory_of_this_process_is_more_than_an_empty_interpreter_needs() -> None:
    assert 5 < memory_usage_mb() < 100_000


def test_busy_process_has_a_load() -> None:
    vitals = Vitals()
    sum(number * number for number in range(300_000))
    assert vitals.cpu_load_percent() > 0
