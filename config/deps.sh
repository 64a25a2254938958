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
# Where another apt is at work (a fresh machine updates itself), we wait for its end: the option does so for
# dpkg's lock, and update, which has a lock of its own, is tried again.
wait='-o DPkg::Lock::Timeout=600'
tries=60
# shellcheck disable=SC2086
until said=$(LC_ALL=C $sudo apt-get $wait update -qq 2>&1); do
	case $said in
	*"Could not get lock"*) ;;
	*) tries=0 ;;
	esac
	if [ "$tries" -le 0 ]; then
		printf '%s\n' "$said" >&2
		exit 1
	fi
	[ "$tries" -lt 60 ] || echo "torrentd: another apt is at work; waiting for it, up to 10 minutes"
	tries=$((tries - 1))
	sleep 10
done
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 apt-get $wait install -y -qq --no-install-recommends $missing >/dev/null
