"""Tasks on the nodes of a Ray cluster; Ray is imported here only, and only once it is asked for."""

from transferset.cluster.executor import RayExecutor
from transferset.cluster.session import session

__all__ = ["RayExecutor", "session"]
