"""What is raised for signature files that are refused."""

from __future__ import annotations


class SignatureError(Exception):
    """Signature files were refused; `problems` has one sentence for each mistake, with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
