#compdef torrentctl
# SPDX-License-Identifier: MIT
# Made by torrentctl completion.
_torrentctl() {
	local -a found
	if (( CURRENT == 2 )); then
		found=(
			'list:the torrents'
			'show:all about a torrent'
			'files:the files of a torrent; or choose among them'
			'peers:who a torrent is connected with'
			'trackers:the trackers of a torrent and what they say'
			'why:why a torrent is as it is; without one: of all that wait for something'
			'add:add .torrent files (- is standard input) and magnet links'
			'start:start'
			'stop:stop'
			'rm:remove; the data stays unless --data is given'
			'recheck:hash all its data again'
			'announce:ask its trackers for peers as soon as they allow'
			'limit:limit rates and seeding, of torrents or of all together'
			'undo:take a change back, by the id that it has told; within a day'
			'removed:torrents that were removed of late and whose data stayed'
			'restore:bring removed ones back'
			'watch:the torrents as they are now, until you end it; each change on a line where there is no terminal'
			'events:what happens, an event a line'
			'config:the options of the daemon: show, change for good, or as configured'
			'token:who may use the daemon'
			'pair:let a new device in: a code, and a link to be scanned'
			'completion:print what the shell needs to complete commands'
			'help:how a command is used')
		_describe command found
		return
	fi
	case $words[2] in
	list) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--state:only those: stopped, queued, checking, metadata, downloading, seeding or error' '--sort:by name, size, progress, down, up, ratio, added or queue (which is the order otherwise)')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	show) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	files) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--skip:do not download these files' '--low:download these files last' '--normal:download these files like others' '--high:download these files first')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	peers) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	trackers) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	why) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	add) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--wait:wait until all that is wanted is there, with a bar' '--paused:do not start' '--path:the directory, on the daemon'\''s machine, that the data goes to' '--files:these files alone, by their numbers, such as 0,3-5' '--sequential:download in order' '--first-last:download the first and last pieces of each file first' '--top:put at the top of the queue' '--down:limit of the download, such as 500KiB/s; 0 is none' '--up:limit of the upload') ;;
	start) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--force:whatever the queue says')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	stop) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	rm) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--data:delete the data, too' '--yes:do not ask')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	recheck) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	announce) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	limit) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--down:limit of the download, such as 500KiB/s; 0 is none' '--up:limit of the upload' '--ratio:stop when so many times its size was sent; 0 is never, -1 as configured' '--global:the limit on all torrents together')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	undo) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version') ;;
	removed) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version') ;;
	restore) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version')
		[[ $PREFIX == -* ]] || found=(${(f)"$(torrentctl list 2>/dev/null | awk -F'\t' '{gsub(":", " ", $2); print substr($1, 1, 8) ":" $2}')"}) ;;
	watch) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--state:only those: stopped, queued, checking, metadata, downloading, seeding or error' '--sort:by name, size, progress, down, up, ratio, added or queue (which is the order otherwise)' '--every:milliseconds between two looks, from 250 to 10000') ;;
	events) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--every:milliseconds between two looks, from 250 to 10000' '--since:go on from there: the id of an event') ;;
	config) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version') ;;
	token) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--scopes:what is allowed by it, such as read,add; all that you may, otherwise' '--expires:when it ends; never, otherwise') ;;
	pair) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version' '--scopes:what is allowed by it, such as read,add; all that you may, otherwise') ;;
	completion) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version') ;;
	help) found=( '--url:where the daemon is, such as https://torrents.example.org/x (or $TORRENTCTL_URL)' '--token:the token for it; others see a command line, so $TORRENTCTL_TOKEN or --token-file are better' '--token-file:a file with the token' '--json:print JSON' '--help:print how a command is used' '--version:print the version') ;;
	esac
	_describe value found
	_files
}
_torrentctl "$@"
