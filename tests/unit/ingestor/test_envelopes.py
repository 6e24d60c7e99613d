from infrastructure.ingestor.encoding import Envelopes


def test_what_a_long_agent_id_needs_is_encoded_and_not_kept() -> None:
    envelopes = Envelopes()
    subject = b"swarm.events.coder.decision"
    assert envelopes[subject, "a" * 100_000, "decision"] == envelopes[subject, "b", "decision"]
    assert list(envelopes) == [(subject, "b", "decision")]
