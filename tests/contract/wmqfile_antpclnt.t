#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of queue files, kept by a mirror: antpclnt, which mirrors the
# queue beside it through antpserv.
exec "$(dirname "$0")/mirror_antpclnt.t" wmqfile antpclnt antpserv
