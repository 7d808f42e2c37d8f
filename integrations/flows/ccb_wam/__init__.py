"""Package outl.ba.ccb_wam: service points of CC&B as asset locations of WAM/ODM v2.1 (seed 000)."""
