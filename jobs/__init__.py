"""What happens without a click: timers, the outbox, reminders."""
