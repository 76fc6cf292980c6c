"""Documents for people: one model of their content (`model`), and one file for each form they are written in.

`page` writes HTML, `workbook` XLSX, `sheets` CSV, `data` JSON, `text` Markdown. A document holds its numbers already
rounded, so every form shows the same ones. Nothing here knows a ledger or a clock.
"""
