"""Package outl.ba.ccs_dacs: customer sync between CCS and DACS (seed 001)."""
