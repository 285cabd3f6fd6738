"""Sets with what teachers say of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferset.api.executors import executing
from transferset.api.sets import SETS, only_set
from transferset.shards import ShardSet

if TYPE_CHECKING:
    from transferset.pipeline.label.plan import LabelPlan
    from transferset.stage import Progress


def label(
    src: str | Path | None = None,
    out: str | Path | None = None,
    *,
    teacher: str | Path | Sequence[str | Path],
    mlm: bool = False,
    top_k: int | None = None,
    copies: int | None = None,
    temperature: float | None = None,
    dtype: str | None = None,
    task: str | None = None,
    length: int | None = None,
    batch_tokens: int | None = None,
    replace: bool = False,
    device: str | None = None,
    shards: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    executor: str = "processes",
    address: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ShardSet:
    """Make a set with the logits of a teacher as a column.

    The rows are those of `src`, in their order, with all their columns. Of several teachers the
    mean of the logits is kept (Liu 2020, § 3.4.1, has one; Hinton et al. 2015, § 1, an ensemble).
    With `mlm` the teacher is a masked language model, and each row becomes `copies` masked rows
    with the highest logits of each masked position.

    Args:
        src: A set; None is the only one under `sets/`.
        out: Directory of the new set; None is `sets/NAME`.
        teacher: Directory of a sequence classifier or of a student, from `teacher fit`, `distill`
            or `save_pretrained`; or several, whose classes are the same. With `mlm` one of a
            masked language model.
        mlm: Ask a masked language model of masked positions.
        top_k: Logits that are kept of each; None is 64.
        copies: Masked rows of each row; None is 1.
        temperature: T of the sum over the pieces that are not kept, as in distillation; None is 2.
        dtype: Of logits, `float32` or `float16`; None is `float32`. With `mlm` it is `float16`.
        task: Name of the head that is asked, of a teacher with several.
        length: Most ids of a row that the teacher reads; None is what it has positions for. Rows
            stay as they are, but for masked copies.
        batch_tokens: Padded ids that go through the teacher at once; None is chosen for the
            device. Sums are rounded otherwise in other batches.
        replace: The set has logits, and they are to be replaced.
        device: As torch names it: `cpu`, `cuda`; None is the processor.
        shards: Number of shards; None is one per 256 MB.
        seed: Of the masks, 0 ≤ seed < 2**64.
        workers: Worker processes; None is the number of processors, on another device one. Does
            not change the rows.
        executor: `processes` of this machine, or `ray`: the nodes of a Ray cluster.
        address: Of the cluster: `local` starts one here, `auto` joins the one that this machine is
            a node of, `HOST:PORT` joins that one.
        force: Replace what is in `out`.
        progress: Told of finished work.

    Returns:
        The finished set.

    Raises:
        UsageError: An option is wrong; the set has not what the teacher reads; torch is not
            installed.
        InputError: A teacher's directory is damaged, or holds no such teacher; teachers mean
            different classes; logits are no numbers.
        SetError: `src` is damaged; `out` holds another set, or something else, or is being built.
        TransfersetError: Disk or memory.
    """
    from transferset.pipeline.label.passes import label as carry_out
    from transferset.pipeline.places import folder_name, require_apart
    from transferset.pipeline.remote import output
    from transferset.stage import Quiet

    plan = plan_label(
        src,
        teacher=teacher,
        mlm=mlm,
        top_k=top_k,
        copies=copies,
        temperature=temperature,
        dtype=dtype,
        task=task,
        length=length,
        batch_tokens=batch_tokens,
        replace=replace,
        device=device,
        shards=shards,
        seed=seed,
    )
    root = output(out if out is not None else SETS / folder_name(plan.name), force=force)
    require_apart([root], plan.read)
    with executing(executor, address, workers, device=device, models=True) as run:
        return carry_out(plan, root, run, progress or Quiet(), force=force)


def plan_label(
    src: str | Path | None = None,
    *,
    teacher: str | Path | Sequence[str | Path],
    device: str | None = None,
    seed: int = 0,
    **options: Any,
) -> LabelPlan:
    """Check a labelling without writing anything (`--dry-run`).

    Args and errors are those of `label`.

    Returns:
        The plan; `pipeline.label.probe.label_plan_json` shows it.
    """
    from transferset.pipeline.label.params import LabelParams
    from transferset.pipeline.label.plan import make_label_plan
    from transferset.pipeline.remote import local

    found = ShardSet.open(only_set(src))
    given = [teacher] if isinstance(teacher, str | Path) else list(teacher)
    teachers = [local(one) for one in given]
    return make_label_plan(
        found,
        teachers,
        LabelParams(**options),
        name=f"{found.manifest.name}-labelled",
        seed=seed,
        device=device,
    )
