from infrastructure.ingestor.checkpoints import Allowance


def test_rights_earned_in_quiet_times_are_used_at_once() -> None:
    allowance = Allowance(3.0, 5.0)
    assert [allowance.take(100.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_further_ones_are_earned_one_by_one() -> None:
    allowance = Allowance(1.0, 5.0)
    assert allowance.take(0.0) == 0.0
    assert allowance.take(0.0) == 5.0
    assert allowance.take(5.0) == 5.0
    assert allowance.take(20.0) == 0.0


def test_no_more_than_the_largest_number_is_kept() -> None:
    allowance = Allowance(2.0, 5.0)
    assert [allowance.take(1e6) for _ in range(3)] == [0.0, 0.0, 5.0]
