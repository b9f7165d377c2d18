"""A task of Windows that keeps the bridge running.

A service of Windows has no desktop, and the terminal needs one: so the bridge is a task that starts
when its user logs in, and that is started again whenever it ends.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

NAME = "Ponte MT5 bridge"

_TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Connects MetaTrader 5 to Ponte</Description></RegistrationInfo>
  <Triggers>
    <LogonTrigger><Enabled>true</Enabled></LogonTrigger>
    <TimeTrigger>
      <Repetition><Interval>PT1M</Interval></Repetition>
      <StartBoundary>2026-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>4</Priority>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def task(config: Path) -> str:
    """The task's definition, for `schtasks /Create /XML`."""
    config = config.resolve()
    arguments = subprocess.list2cmdline(["-m", "ponte_mt5_bridge", "run", "--config", str(config)])
    return _TASK.format(
        command=escape(_windowless_python()), arguments=escape(arguments), folder=escape(str(config.parent))
    )


def _windowless_python() -> str:
    """The interpreter that opens no window, where there is one."""
    python = Path(sys.executable)
    windowless = python.with_name("pythonw.exe")
    return str(windowless if windowless.is_file() else python)


def create_command(file: str) -> list[str]:
    """Makes the task, in place of an earlier one."""
    return ["schtasks", "/Create", "/TN", NAME, "/XML", file, "/F"]


def install(config: Path) -> str:
    """Makes the task and starts it; returns what went wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "task.xml"
        file.write_text(task(config), encoding="utf-16")
        wrong = _run(create_command(str(file)))
    return wrong or _run(["schtasks", "/Run", "/TN", NAME])


def remove() -> str:
    """Ends and removes the task; returns what went wrong, or nothing."""
    _run(["schtasks", "/End", "/TN", NAME])
    return _run(["schtasks", "/Delete", "/TN", NAME, "/F"])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()
