"""The operations over SOAP 1.1 and 1.2, document/literal (IEC 61968-100's strongly typed style)."""
