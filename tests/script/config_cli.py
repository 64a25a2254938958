#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command line, the configuration, reload, and every reason not to start."""
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile

import lib_daemon
import lib_tap
from lib_daemon import BINARY, Daemon, environment, free_port, run_binary
from lib_tap import PATIENCE, Skip, case, check, equal, wait_for
from lib_torrent import Torrent


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix='td-conf-')
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)
    return path


@case
def version_and_help():
    status, out, err = run_binary('--version')
    equal((status, err), (0, ''))
    check(re.search(r'torrentd \d+\.\d+', out), out)
    status, out, err = run_binary('--help')
    equal((status, err), (0, ''))
    for option in ('--config', '--check-config', '--print-config', '--print-default-config', '--version', '--help'):
        check(option in out, option, 'is not in the help')


@case
def check_config_good_and_bad():
    with Folder() as folder:
        good = write(folder, 'good.conf', '# comment\n[api]\nport = 9000\n\n[download]\nmax_rate = 10MiB/s\n')
        status, _, err = run_binary('--check-config', f'--config={good}', home=folder)
        equal((status, err), (0, ''))
        for text, line, *words in [
                ('[api]\nprot = 1\n', 2, 'prot', 'port'), ('[ap]\nport = 1\n', 1, '[ap]', 'api'),
                ('[api]\nport = 99999\n', 2, 'api.port'), ('[api]\nport = x\n', 2, 'api.port'),
                ('[api]\n\n\nport 5\n', 4), ('port = 5\n', 1, 'port'), ('[api\nport = 5\n', 1),
                ('[download]\nmax_rate = 10 furlongs\n', 2, 'download.max_rate'),
                ('[api]\nport = 1\nport = 2\n', 3, 'api.port'),
                ('[log]\nlevel = loud\n', 2, 'log.level', 'debug'),
                ('[tracker]\ntimeout = 5\n[peers]\nmax = -1\n', 4, 'peers.max')]:
            bad = write(folder, 'bad.conf', text)
            status, out, err = run_binary('--check-config', f'--config={bad}', home=folder)
            equal(status, 2, text)
            check(f'{bad}:{line}' in err, f'{bad}:{line} is not in', err)
            for word in words:
                check(word in err, word, 'is not in', err)
        status, _, err = run_binary('--check-config', f'--config={folder}/none.conf', home=folder)
        equal(status, 2)
        check('none.conf' in err, err)


@case
def every_error_is_told_in_one_run():
    with Folder() as folder:
        bad = write(folder, 'x.conf', '[api]\nprot = 1\nport = x\n[peers]\nmx = 1\n')
        _, _, err = run_binary('--check-config', f'--config={bad}', home=folder)
        for line in (2, 3, 5):
            check(f'{bad}:{line}' in err, line, err)


@case
def nothing_is_started_or_created_with_a_bad_configuration():
    with Folder() as folder:
        bad = write(folder, 'x.conf', '[api]\nprot = 1\n')
        status, _, err = run_binary(f'--config={bad}', f'--state.dir={folder}/s', f'--download.dir={folder}/d',
                                    home=folder)
        equal(status, 2)
        equal(os.listdir(folder), ['x.conf'])


@case
def unknown_and_misused_options():
    for args, words in [(['--api.prot=1'], ['api.prot', 'api.port']), (['--nonsense'], ['nonsense']),
                        (['--api.port'], ['api.port']), (['--api.port=x'], ['api.port']), (['stray'], ['stray']),
                        (['--check-confg'], ['check-config']), (['--version=5'], ['version']), (['-z'], ['-z'])]:
        status, _, err = run_binary(*args)
        equal(status, 2, f'{args}: {err}')
        for word in words:
            check(word in err, word, 'is not in', err)


@case
def print_default_config_round_trip():
    with Folder() as folder:
        status, out, _ = run_binary('--print-default-config', home=folder)
        equal(status, 0)
        path = write(folder, 'default.conf', out)
        status, _, err = run_binary('--check-config', f'--config={path}', home=folder)
        equal((status, err), (0, ''))
        plain = write(folder, 'empty.conf', '')
        one = run_binary('--print-config', f'--config={plain}', home=folder)
        two = run_binary('--print-config', f'--config={path}', home=folder)
        equal(one[0], 0)
        equal(settings(one[1]), settings(two[1]), 'the default configuration changes nothing')
        check('[api]' in out and 'port' in out, out[:300])


def settings(text):
    """section.name -> value, of a configuration file."""
    out, section = {}, ''
    for line in text.splitlines():
        line = line.strip()
        if line.startswith('['):
            section = line.strip('[]')
        elif '=' in line and not line.startswith('#'):
            key, _, value = line.partition('=')
            out[f'{section}.{key.strip()}'] = value.split('#')[0].strip()
    return out


@case
def print_config_shows_what_holds_and_can_be_read_back():
    with Folder() as folder:
        path = write(folder, 'a.conf', '[api]\nport = 1111\n[peers]\nmax = 22\n')
        status, out, _ = run_binary('--print-config', f'--config={path}', '--peers.max=33',
                                    '--api.token=secret-secret-secret', home=folder)
        equal(status, 0)
        got = settings(out)
        equal((got['api.port'], got['peers.max']), ('1111', '33'))
        check('secret-secret-secret' not in out, 'a secret is printed')
        back = write(folder, 'b.conf', out)
        status, _, err = run_binary('--check-config', f'--config={back}', home=folder)
        equal((status, err), (0, ''))


@case
def later_sources_win():
    with Folder() as folder:
        path = write(folder, 'main.conf', '[peers]\nmax = 1\nmax_per_torrent = 1\nhalf_open = 1\nport = 1\n')
        write(folder, 'conf.d/20.conf', '[peers]\nhalf_open = 3\nport = 3\n')
        write(folder, 'conf.d/10.conf', '[peers]\nmax_per_torrent = 2\nhalf_open = 2\nport = 2\n')
        write(folder, 'conf.d/30.off', '[peers]\nport = 99\n')
        done = run_binary('--print-config', f'--config={path}', '--peers.port=5', home=folder,
                          env={'TORRENTD_PEERS_PORT': '4', 'TORRENTD_PEERS_UPLOAD_SLOTS': '7'})
        equal(done[0], 0, done[2])
        got = settings(done[1])
        equal([got[f'peers.{k}'] for k in ('max', 'max_per_torrent', 'half_open', 'port', 'upload_slots')],
              ['1', '2', '3', '5', '7'])
        status, _, err = run_binary('--check-config', f'--config={path}', home=folder,
                                    env={'TORRENTD_PEERS_PROT': '4'})
        equal(status, 2)
        check('TORRENTD_PEERS_PROT' in err and 'TORRENTD_PEERS_PORT' in err, err)


@case
def the_start_prints_where_everything_is():
    with Daemon() as d:
        first = wait_for(lambda: d.stdout(), 'a line')
        check(os.path.join(d.state, 'api.token') in first, 'the first token is not in', first)
        d.restart()
        out = wait_for(lambda: d.stdout(), 'a line')
        for part in (f'127.0.0.1:{d.api_port}', d.state, d.downloads):
            check(part in out, part, 'is not in', out)
        equal(out.count('\n'), 1, 'lines')


@case
def a_port_chosen_by_the_system_is_told():
    with Folder() as folder:
        out = open(os.path.join(folder, 'out'), 'w+')
        process = subprocess.Popen(
            [BINARY, '--api.port=0', '--peers.port=0', f'--state.dir={folder}/s', f'--download.dir={folder}/d'],
            env=environment(folder), stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        lib_daemon.LIVE.add(process)
        try:
            def port():
                with open(out.name) as f:
                    return re.search(r'http://127\.0\.0\.1:(\d+)/', f.read())
            number = int(wait_for(port, 'the address is printed').group(1))
            check(number != 0, 'port 0 is told')
            socket.create_connection(('127.0.0.1', number), timeout=PATIENCE).close()
            process.terminate()
            equal(process.wait(PATIENCE), 0)
        finally:
            out.close()
            if process.poll() is None:
                process.kill()
                process.wait()


@case
def reload_changes_what_it_can_and_names_the_rest():
    d = Daemon({'log.level': None, 'api.port': None, 'peers.port': None})
    d.write_config(f'[api]\nport = {d.api_port}\n[peers]\nport = {d.peer_port}\n[log]\nlevel = info\n')
    with d:
        equal(d.all()['maxdown'], 0)
        other = free_port()
        d.write_config(f'[api]\nport = {other}\ntoken = a-token-of-some-length\n[peers]\nport = {d.peer_port}\n'
                       '[log]\nlevel = debug\n[download]\nmax_rate = 123KiB/s\n')
        d.process.send_signal(signal.SIGHUP)
        right = {'Authorization': 'Bearer a-token-of-some-length'}
        wait_for(lambda: d.get('/alldata').status == 401, 'the token is wanted')
        wait_for(lambda: json.loads(d.http('GET', '/alldata', headers=right).body)['maxdown'] == 123,
                 'the limit is taken')
        wait_for(lambda: re.search(r'config_needs_restart.*api\.port', d.log()), 'api.port is named')
        wait_for(lambda: re.search(r'config_changed.*log\.level', d.log()), 'log.level is named')
        check('a-token-of-some-length' not in d.log(), 'the token is in the log')


@case
def a_reload_of_a_bad_file_changes_nothing_and_says_why():
    with Daemon({'download.max_rate': None}, config='[download]\nmax_rate = 50KiB/s\n') as d:
        equal(d.all()['maxdown'], 50)
        d.write_config('[download]\nmax_rate = 60KiB/s\nmax_rat = 1\n')
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: re.search(r'config_refused.*torrentd\.conf:3', d.log()), 'the file and line are logged')
        equal(d.all()['maxdown'], 50)
        os.unlink(d.config_path)
        d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: d.log().count('config_refused') >= 2, 'a missing file is told')
        equal(d.all()['maxdown'], 50)


@case
def many_reloads_in_a_row():
    with Daemon() as d:
        for n in range(50):
            d.write_config(f'[upload]\nmax_rate = {n + 1}KiB/s\n')
            d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: d.all()['maxup'] == 50, lambda: d.all()['maxup'])


@case
def a_limit_set_by_the_api_outlives_the_configuration():
    with Daemon(config='[upload]\nmax_rate = 50KiB/s\n') as d:
        d.ok('/setglobaluprate', rate=77)
        d.restart()
        equal(d.all()['maxup'], 77)
        with open(d.config_path) as f:
            equal(f.read(), '[upload]\nmax_rate = 50KiB/s\n', 'the daemon never writes its configuration')


@case
def a_second_daemon_on_the_same_state_is_refused():
    with Daemon() as d:
        status, _, err = run_binary(f'--state.dir={d.state}', f'--download.dir={d.downloads}',
                                    f'--api.port={free_port()}', f'--peers.port={free_port()}', home=d.root)
        equal(status, 1, err)
        check(d.state in err and re.search('another|already|in use|running', err), err)
        equal(err.strip().count('\n'), 0, 'one line')
        d.all()


@case
def a_database_from_a_newer_version_is_refused():
    with Daemon() as d:
        d.add(Torrent('kept', 1000), start='false')
        d.terminate()
        path = next(os.path.join(d.state, n) for n in os.listdir(d.state) if database(os.path.join(d.state, n)))
        with sqlite3.connect(path) as db:
            version = db.execute('PRAGMA user_version').fetchone()[0]
            db.execute('PRAGMA user_version = 9999')
        db.close()
        status, _, err = run_binary(*d.arguments(), home=d.root)
        check(status == 1, status, err)
        check(re.search('newer', err) and '9999' in err, err)
        with sqlite3.connect(path) as db:
            db.execute(f'PRAGMA user_version = {version}')
        db.close()
        d.start()
        equal([s['name'] for s in d.all()['sessions']], ['kept'])


def database(path):
    with open(path, 'rb') as f:
        return f.read(15) == b'SQLite format 3'


@case
def a_database_that_is_none_is_refused_and_left_alone():
    with Daemon() as d:
        d.terminate()
        path = next(os.path.join(d.state, n) for n in os.listdir(d.state) if database(os.path.join(d.state, n)))
        for name in os.listdir(d.state):
            os.unlink(os.path.join(d.state, name))
        junk = os.urandom(20000)
        with open(path, 'wb') as f:
            f.write(junk)
        status, _, err = run_binary(*d.arguments(), home=d.root)
        check(status == 1, status, err)
        check(path in err or d.state in err, err)
        with open(path, 'rb') as f:
            equal(f.read(), junk)


@case
def a_port_in_use_is_a_clear_error():
    with Daemon() as d, socket.socket() as s:
        d.terminate()
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        for option in ('api.port', 'peers.port'):
            d.options[option] = port
            status, _, err = run_binary(*d.arguments(), home=d.root)
            check(status in (1, 2), status, err)
            check(str(port) in err and re.search('in use', err), option, err)
            d.options[option] = free_port()


@case
def a_state_directory_that_cannot_be_made_is_a_clear_error():
    with Folder() as folder:
        write(folder, 'file', 'x')
        status, _, err = run_binary(f'--state.dir={folder}/file/state', f'--download.dir={folder}/d',
                                    f'--api.port={free_port()}', f'--peers.port={free_port()}', home=folder)
        check(status in (1, 2), status)
        check(f'{folder}/file/state' in err, err)


@case
def paths_follow_xdg_and_home():
    if os.geteuid() == 0:
        raise Skip('root has the paths of a service')
    with Folder() as folder:
        got = settings(run_binary('--print-config', home=folder)[1])
        check(f'{folder}/.local/state/torrentd' in got['state.dir'], got['state.dir'])
        got = settings(run_binary('--print-config', home=folder, env={'XDG_STATE_HOME': f'{folder}/xs'})[1])
        check(f'{folder}/xs/torrentd' in got['state.dir'], got['state.dir'])


@case
def sigint_ends_it_like_sigterm():
    with Daemon() as d:
        d.process.send_signal(signal.SIGINT)
        equal(d.process.wait(PATIENCE), 0)
        lib_daemon.LIVE.discard(d.process)


@case
def a_stop_in_the_first_moment():
    with Daemon() as d:
        d.terminate()
        for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
            d.spawn()
            try:
                status = d.process.wait(delay)
            except subprocess.TimeoutExpired:
                d.process.terminate()
                status = d.process.wait(PATIENCE)
            lib_daemon.LIVE.discard(d.process)
            check(status in (0, -signal.SIGTERM), 'ended with', status, d.log())
        d.start()


lib_tap.main()
