"""Project OU CPMCS DERMS: enrolment, device status, events, opt-outs, programs and device scores (seed 002)."""
