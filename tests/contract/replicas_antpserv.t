#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of who serves replicas: the other end of mirror_antpclnt.t.
exec "$(dirname "$0")/mirror_antpclnt.t" replicas antpserv antpclnt
