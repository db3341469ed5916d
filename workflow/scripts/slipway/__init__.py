"""What the host-side commands share: engine, contract, metering, verdicts, archives."""
