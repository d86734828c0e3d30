"""What the steps and the data of a scenario are called, for whoever reads why it did not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from engine.diagram import Diagram


class Names:
    """`titles` are what the forms call the data. Nodes of one name are told apart by their ids."""

    def __init__(self, diagram: Diagram, titles: Mapping[str, str]) -> None:
        self._titles = titles
        several = Counter(node.name for node in diagram.nodes.values())
        self._nodes = {
            id: node.name if several[node.name] == 1 else f"{node.name}（{id}）" for id, node in diagram.nodes.items() if node.name
        }

    def step(self, key: str) -> str:
        """A node by its id or the key of one of its tasks."""
        element, mark, nth = key.partition("#")
        return f"{self._nodes.get(element, element)}{mark}{nth}"

    def steps(self, keys: Iterable[str]) -> str:
        """Some nodes, one after the other."""
        return "、".join(f"“{self.step(key)}”" for key in keys) or "无"

    def incidents(self, told: Iterable[Mapping[str, str]]) -> str:
        """Some incidents by their steps and rules, as far as either is said."""
        return "、".join(_incident(self.step(one["element"]) if "element" in one else "", one.get("rule", "")) for one in told) or "无"

    def data(self, name: str) -> str:
        """A field, or other data, by its name."""
        return self._titles.get(name, name)


def _incident(step: str, rule: str) -> str:
    return f"“{step}”（{rule}）" if step and rule else f"“{step or rule}”"
