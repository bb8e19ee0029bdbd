"""Papers that others rely on, signed and with a code: index certificates, leak dossiers, verification."""
