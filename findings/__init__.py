"""The paper's findings at small scale: questions that 2 cores can answer."""
