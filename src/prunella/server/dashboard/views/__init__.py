"""What pages show: functions from a project's records to a page's data. All text is untrusted."""
