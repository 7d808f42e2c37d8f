"""The overview page, as other apps know it: `also` adds figures of their own, `overview` is what it shows."""

from hub.home.figures import Figure, Figures, also
from hub.home.page import overview

__all__ = ["Figure", "Figures", "also", "overview"]
