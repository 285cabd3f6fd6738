"""Where tasks run: options that do not fit, and what must be alike on all nodes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sets import make_set

import transferset
from transferset.api.executors import executing
from transferset.cluster.environment import environment, unlike
from transferset.executor import LocalExecutor


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("threads", None, None), "--executor processes or ray, found threads"),
        (("processes", "auto", None), "no --address, found auto"),
        (("processes", None, 0), "--workers of at least 1, found 0"),
        (("ray", None, None), "--address local, auto or HOST:PORT, found none"),
        (("ray", "", None), "HOST:PORT, found ; run the command on a node"),
        (("ray", "head", None), "HOST:PORT, found head"),
        (("ray", "ray://head:10001", None), "found ray://head:10001"),
        (("ray", "http://head:8265", None), "found http://head:8265"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, said):
    with pytest.raises(transferset.UsageError, match=said), executing(*options):
        pass


@pytest.mark.parametrize(
    ("hints", "workers"),
    [({"tokens": 1000}, 1), ({"device": "cuda"}, 1), ({"tokens": 1000, "device": "cpu"}, 1)],
)
def test_little_work_has_one_process(hints, workers):
    with executing("processes", None, None, **hints) as executor:
        assert executor == LocalExecutor(workers)
    with executing("processes", None, 5, **hints) as executor:
        assert executor == LocalExecutor(5)


def test_without_ray_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    parent = make_set(tmp_path / "parent", [10]).root
    with pytest.raises(transferset.UsageError, match=r"pip install 'transferset\[ray\]'") as error:
        transferset.derive(
            parent,
            tmp_path / "out",
            steps=[transferset.Shuffle()],
            executor="ray",
            address="local",
        )
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_nothing_of_ray_is_imported_without_the_option(tmp_path):
    parent = make_set(tmp_path / "parent", [10]).root
    script = (
        "import sys, transferset\n"
        f"transferset.derive({str(parent)!r}, {str(tmp_path / 'out')!r},"
        " steps=[transferset.Shuffle()])\n"
        "print([name for name in sys.modules if name == 'ray' or 'transferset.cluster' in name])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_nodes_must_have_what_decides_bytes():
    here = dict(environment())
    assert unlike(here, here, rounding=True) == []
    assert unlike(here, here | {"numpy": "1.0"}, rounding=False) == [
        f"numpy 1.0, not {here['numpy']}"
    ]
    less = {name: value for name, value in here.items() if name != "pyarrow"}
    assert unlike(here, less, rounding=False) == [f"pyarrow missing, not {here['pyarrow']}"]
    assert unlike(here, here | {"transferset": "0"}, rounding=False)


def test_what_only_some_tasks_need_may_be_missing_but_not_another():
    here = dict(environment()) | {"torch": "2.13.0"}
    without = {name: value for name, value in here.items() if name != "torch"}
    assert unlike(here, without, rounding=True) == []
    assert unlike(here, here | {"torch": "2.9.0"}, rounding=False) == ["torch 2.9.0, not 2.13.0"]


def test_only_tasks_that_ask_models_need_equal_processors():
    here = dict(environment())
    assert unlike(here, here | {"vectors": "other"}, rounding=False) == []
    assert len(unlike(here, here | {"vectors": "other"}, rounding=True)) == 1
