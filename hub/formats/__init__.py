"""How dates are written (FORMAT_MODULE_PATH): one unambiguous form, to the second."""
