"""Package outl.ba.ouai_dacs_derms: enrolments, event outcomes, kWh avoided and load forecasts of OUAI (seed 003)."""
