"""程序 proceedings: tables."""
