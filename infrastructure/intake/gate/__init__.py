"""The gate: rules that say which tools a foreign agent may use, and how."""
