//! Provider simulators on their own origin. Shares no code with the connectors.
