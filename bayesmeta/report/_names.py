"""What the files of a report are called."""

REPORT, NUMBERS, SHOWN, DOCX = "report.html", "results.json", "report.json", "report.docx"
