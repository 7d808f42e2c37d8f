"""The nine-to-five of a flow: registry, context, runner, leases, retries, files, notifications."""
