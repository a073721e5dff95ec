"""Reminders: collection days and children's dates become messages, at the hour each resident chose."""
