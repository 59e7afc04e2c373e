"""The job domain: states, transitions, the store and its schema. It knows no network protocol and no audio."""
