"""What the files of a report are called."""

REPORT, NUMBERS, SHOWN = "report.html", "results.json", "report.json"
