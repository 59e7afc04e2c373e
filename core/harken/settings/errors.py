"""What can be wrong with a setting."""


class SettingsError(Exception):
    """A variable holds what it cannot hold: `variable` and `problem` say which and why."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable
        self.problem = problem
