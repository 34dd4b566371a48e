"""What the machine allows: folders to write to, an end that is asked for, processes that fork."""
