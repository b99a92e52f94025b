#!/usr/bin/env bash
# The same program as rawpush, whose script installs it.
