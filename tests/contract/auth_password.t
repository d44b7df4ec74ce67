#!/bin/sh
# SPDX-License-Identifier: MIT
exec "$(dirname "$0")/run" auth auth_password tcapw_mem
