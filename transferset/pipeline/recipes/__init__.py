"""Recipes: sets and models, each made from others, as one TOML file (`transferset run`).

    description = "…"

    [set.corpus]                     # a folder OUT/corpus
    command = "build wiki"           # or "derive", "mix"
    source = "demo"                  # every other key is a parameter of that command

    [set.small]
    command = "derive"
    from = "corpus"                  # a set of this recipe, or the path of one
    steps = [{ sample = "10%" }]

    [model.writer]                   # a folder OUT/writer
    command = "lm fit"
    from = "small"
    config = "gpt2.json"

    [set.written]
    command = "lm sample"
    from = "small"
    model = "writer"                 # a model of this recipe, or the folder of one
    rows = "10x"

    [matrix]                         # all that take a seed and state none, three times
    seed = [1, 2, 3]

    [report]                         # one page about the sets, when they are there
    sets = ["corpus", "small"]

`reading` bounds what a file may cost, `kinds` are what tables make, `references` how they name each
other, `commands` knows what each table may state, `settings` are `--set`, `matrix` fans out,
`recipe` puts these together, `graph` brings the work into order, and `running` does it; `reporting`
writes the page.
"""

from transferset.pipeline.recipes.graph import Job, Plan, make_plan
from transferset.pipeline.recipes.recipe import Recipe, read_recipe
from transferset.pipeline.recipes.running import run_recipe

__all__ = ["Job", "Plan", "Recipe", "make_plan", "read_recipe", "run_recipe"]
