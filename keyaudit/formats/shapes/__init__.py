"""How a report is shaped for those who ask for it: order, titles and words, one file a shape."""

from __future__ import annotations

from keyaudit.formats.shapes import general, hipaa, iso27001, pci_dss, soc2
from keyaudit.formats.shapes.shape import Shape, Word

SHAPES: dict[str, Shape] = {
    shape.SHAPE.id: shape.SHAPE for shape in (general, soc2, pci_dss, hipaa, iso27001)
}

__all__ = ["SHAPES", "Shape", "Word"]
