"""The `yobikake` command: one file a group of commands."""
