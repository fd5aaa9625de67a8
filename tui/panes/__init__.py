"""What each pane says: pure functions from the view to rows, without a widget in sight."""
