# SPDX-License-Identifier: MIT
"""The queue: SQLite, the states of a job, artifacts."""
