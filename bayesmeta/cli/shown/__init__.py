"""What commands print: answers, runs, accounts, doubts, progress."""
