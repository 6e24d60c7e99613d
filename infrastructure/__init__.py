"""What captures and keeps: ingestor, history, intake, the embedded stack."""
