#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages named as arguments that are missing.  Silent when nothing is missing.
set -eu
missing=
for p in "$@"; do
	dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || {
	echo "torrentd: these Debian packages are needed and there is no apt-get:$missing" >&2
	exit 1
}
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "torrentd: ask an administrator to run: apt-get install$missing" >&2
		exit 1
	}
	sudo=sudo
fi
echo "torrentd: installing$missing"
# Services that a package brings are not wanted: the tests start their own.
# SYSTEMD_OFFLINE keeps systemctl from starting them, RUNLEVEL the older scripts.
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
