"""程序 proceedings: screens."""
