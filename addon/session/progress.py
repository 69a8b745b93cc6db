# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a task is, as a fraction and in words. No bpy."""

from datetime import datetime

from .state import Session, usual_step_seconds
from .task import Task

MINUTE = 90.0  # seconds, from which on minutes are what one thinks in


def progress(task: Task) -> float:
    """The finished fraction of a task, 0..1."""
    return 1.0 if task.job.state == "done" else min(1.0, task.job.step / max(1, task.job.steps))


def describe(session: Session, task: Task, now: float) -> str:
    """A task in one line: what it does, how far it is, and how long it will take."""
    if task.job.id in session.cancelling and not task.ended:
        return "Cancelling…" if session.link.name == "online" else "Cancelled when the server is back"
    if task.job.state == "queued":
        ahead = len(session.waiting) - len(session.queued) + session.queued.index(task)
        return f"Waiting, {ahead} ahead" if ahead else "Waiting for the server"
    if task.ended:
        return {"done": "Done", "failed": "Failed", "cancelled": "Cancelled"}[task.job.state]
    if session.link.name != "online":
        return "Goes on when the server is back"
    phase, step, steps = task.job.phase.capitalize() or "Working", task.job.step, task.job.steps
    if step == 0:  # what comes before the first step, and after the last, has none
        each = usual_step_seconds(session, task)
        return f"{phase}…" if each is None else f"{phase}, about {duration(each * steps)} left"
    if step == steps:
        return f"{phase}…"
    seconds = task.pace.left(steps, now, usual_step_seconds(session, task)) if task.pace else None
    return f"{phase}, step {step} of {steps}{'' if seconds is None else f', {duration(seconds)} left'}"


def duration(seconds: float) -> str:
    """A span of time as people say it: in seconds below a minute and a half, in minutes, and in hours from two on."""
    if seconds < 89.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def waits(session: Session, task: Task) -> str:
    """When a task that waits was asked for, and how long it will take once it is its turn."""
    each, steps = usual_step_seconds(session, task), task.job.steps
    takes = f"{steps} steps" if each is None else f"takes {_span(each * steps)}"
    return f"asked at {datetime.fromtimestamp(task.job.created):%H:%M}, {takes}"


def _span(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < MINUTE else f"about {seconds / 60:.0f} min"


def title(task: Task) -> str:
    """Which of several pictures it is, in one line; what tells it from its like comes first: panels cut it off."""
    view, prompt = task.view, " ".join(task.job.prompt.split())
    which = f"{view.origin.camera}, frame {view.frame}" if view.sequence else f"seed {task.job.seed}"
    return f"{which}, {prompt}"
