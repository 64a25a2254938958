# SPDX-License-Identifier: MIT
# Made by torrentctl completion.
_torrentctl() {
	local word=${COMP_WORDS[COMP_CWORD]} words=
	if [ "$COMP_CWORD" -eq 1 ]; then
		words='list show files peers trackers why add start stop rm recheck announce limit undo removed restore watch events config token pair completion help'
	else
		case ${COMP_WORDS[1]} in
		list) words='--url --token --token-file --json --help --version --state --sort'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		show) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		files) words='--url --token --token-file --json --help --version --skip --low --normal --high'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		peers) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		trackers) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		why) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		add) words='--url --token --token-file --json --help --version --wait --paused --path --files --sequential --first-last --top --down --up' ;;
		start) words='--url --token --token-file --json --help --version --force'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		stop) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		rm) words='--url --token --token-file --json --help --version --data --yes'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		recheck) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		announce) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		limit) words='--url --token --token-file --json --help --version --down --up --ratio --global'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		undo) words='--url --token --token-file --json --help --version' ;;
		removed) words='--url --token --token-file --json --help --version' ;;
		restore) words='--url --token --token-file --json --help --version'
			case $word in -*) ;; *) words=$(torrentctl list 2>/dev/null | cut -c1-8) ;; esac ;;
		watch) words='--url --token --token-file --json --help --version --state --sort --every' ;;
		events) words='--url --token --token-file --json --help --version --every --since' ;;
		config) words='--url --token --token-file --json --help --version' ;;
		token) words='--url --token --token-file --json --help --version --scopes --expires' ;;
		pair) words='--url --token --token-file --json --help --version --scopes' ;;
		completion) words='--url --token --token-file --json --help --version' ;;
		help) words='--url --token --token-file --json --help --version' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _torrentctl torrentctl
