# SPDX-License-Identifier: MIT
"""``maquette serve``: what it leaves behind, what it says, what it never says."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from addon.client.api import find_connection
from addon.client.exceptions import Garbled
from addon.protocol.strict_json import dump
from server.catalogue import NotAModel, described
from server.cli.main import VERBS, main
from server.settings import ServerSettings
from tests.server.serving import FAKE, blockout, encoded, environment, serving, wait_until


def test_the_connection_is_for_its_owner_alone(served):
    path = served.home / "connection.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(served.home.stat().st_mode) == 0o700
    assert find_connection(path) == served.connection
    assert served.connection.address.startswith("http://127.0.0.1:")


def test_a_connection_others_can_read_is_not_trusted(served, tmp_path):
    copy = tmp_path / "connection.json"
    copy.write_bytes((served.home / "connection.json").read_bytes())
    copy.chmod(0o644)
    with pytest.raises(Garbled, match="readable by others"):
        find_connection(copy)


def test_the_token_is_never_said(tmp_path):
    """Neither in what the server prints and logs, nor in its settings, nor on any command line; even when all fails."""
    with serving(tmp_path / "home") as served:
        token = served.connection.token
        for prompt in ("a cat", "a cat, raise", "a cat, die"):
            served.request("POST", "/v1/jobs", encoded(dump(blockout(prompt=prompt))))
        served.request("GET", "/v1/health", Authorization="Bearer wrong")
        served.request("GET", f"/v1/jobs/{token}")
        wait_until(lambda: b"worker-lost" in served.request("GET", "/v1/jobs")[2])
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    said = served.output.read_text()
    assert "Maquette serves at" in said
    assert "ZeroDivisionError" in said
    assert token not in said + lines


def test_the_process_that_answers_never_imports_torch():
    names = "http.app http.host cli.main cli.serve cli.render worker.supervisor worker.process"
    modules = ", ".join(f"server.{name}" for name in names.split())
    program = f"import sys, {modules}; print(sorted({{'torch', 'diffusers', 'sg_core'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_server_a_home(served):
    words = [sys.executable, "-m", "server", "serve"]
    done = subprocess.run(words, env=environment(served.home), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "already runs" in done.stderr
    assert "Traceback" not in done.stderr
    assert served.request("GET", "/v1/health")[0] == 200


def test_the_connection_is_gone_after_a_clean_end(tmp_path):
    with serving(tmp_path / "home") as served:
        pass
    assert served.process.returncode == 0
    assert not (tmp_path / "home" / "connection.json").exists()


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_server_goes_with_the_blender_that_started_it(tmp_path, end):
    """As the add-on starts it, by a process that ends without a word to it."""
    home, log = tmp_path / "home", tmp_path / "log"
    command = f"{sys.executable} -m server serve --engine {FAKE}"
    blender = f"""
import os, time
from pathlib import Path
from addon.session import server_process
child = server_process.start({command!r}, Path({str(log)!r}))
while not Path({str(home)!r}, "connection.json").exists():
    assert child.poll() is None
    time.sleep(0.01)
print(child.pid, flush=True)
{end}
"""
    done = subprocess.run([sys.executable, "-c", blender], env=environment(home), capture_output=True, text=True)
    server = int(done.stdout)
    wait_until(lambda: not _runs(server))
    assert not (home / "connection.json").exists(), "it ended without cleaning up"
    assert "Traceback" not in log.read_text()


def _runs(process):
    """Whether it does; an orphan that has ended may wait for its new parent to notice."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(said.strip()) and not said.startswith("Z")


def test_a_leash_is_let_go_by_sigterm_too(tmp_path, monkeypatch):
    """The thread that waits for the end of standard input does not hold up another end."""
    monkeypatch.setenv("MAQUETTE_LEASH", "1")
    with serving(tmp_path / "home", stdin=subprocess.PIPE) as served:
        assert served.request("GET", "/v1/health")[0] == 200
    assert served.process.returncode == 0
    assert "Maquette serves at" in served.output.read_text().splitlines()[-1]
    served.process.stdin.close()


def test_what_a_shell_runs_in_the_background_is_stopped_by_sigterm(tmp_path):
    """Such a process ignores Ctrl-C; SIGTERM still has it give back what it has in hand, and go."""
    home = tmp_path / "home"
    words = f"{sys.executable} -m server serve --engine {FAKE} & echo $!; wait"
    shell = subprocess.Popen(["sh", "-c", words], env=environment(home), stdout=subprocess.PIPE, text=True)
    process = int(shell.stdout.readline())
    try:
        wait_until((home / "connection.json").exists, 60)
        ignored = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if "SigIgn" in line)
        assert int(ignored.split()[1], 16) & 1 << signal.SIGINT - 1
        os.kill(process, signal.SIGTERM)
        assert shell.wait(20) == 0
        assert not (home / "connection.json").exists()
    finally:
        shell.kill()
        shell.stdout.close()
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def test_without_a_leash_the_end_of_standard_input_means_nothing(tmp_path):
    with serving(tmp_path / "home", stdin=subprocess.PIPE) as served:
        served.process.stdin.close()
        time.sleep(0.5)
        assert served.request("GET", "/v1/health")[0] == 200


def test_settings_do_not_hold_the_token(tmp_path):
    assert not any("token" in name for name in ServerSettings.__dataclass_fields__)


def test_usage(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)
    assert main([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("usage") and "no verb" not in said


@pytest.mark.parametrize(("words", "named"), [(["draw", "--fast"], "draw"), (["bench", "paint"], "bench paint")])
def test_a_verb_that_there_is_not_is_named(capsys, words, named):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f'There is no verb "{named}".\n') and "usage" in said


def test_a_folder_without_a_model(tmp_path, capsys):
    with pytest.raises(NotAModel, match=r"model_index\.json"):
        described(tmp_path)
    assert main(["serve", "--model", str(tmp_path)]) == 1
    assert "holds no model" in capsys.readouterr().err


def test_nothing_of_ours_listens_on_other_interfaces(served):
    """Every listening socket of the server process is on 127.0.0.1 (Linux)."""
    inodes = {os.readlink(link) for link in _links(served.process.pid)}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [fields[1] for fields in lines if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes]
    assert [address.split(":")[0] for address in listening] == ["0100007F"]


def _links(process):
    folder = f"/proc/{process}/fd"
    return [f"{folder}/{name}" for name in os.listdir(folder)]


def test_a_port_that_is_taken(served, capsys):
    port = served.connection.address.rpartition(":")[2]
    assert main(["serve", "--port", port]) == 1
    assert f"Port {port} is taken" in capsys.readouterr().err


def test_a_queue_of_a_later_version(tmp_path, capsys):
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as db:
        db.execute("PRAGMA user_version = 1000")
    assert main(["serve", "--home", str(tmp_path)]) == 1
    assert "update it" in capsys.readouterr().err
    assert not (tmp_path / "connection.json").exists()
