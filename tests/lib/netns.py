# SPDX-License-Identifier: MIT
"""Network namespaces without names: of the whole program, and of one host each on a bridge within.

The program runs itself again inside a network, a mount and a process namespace, as a plain user with the help of a user
namespace.  Every process is below that second program, and nothing has a name: when it ends, in whatever way, the
kernel ends the processes, takes down the network and unmounts what was mounted.
"""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function, *arguments):
    if getattr(_libc, function)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{function}: {os.strerror(error)}')


def _follow(argv, mark, kind):
    """Runs this program inside, and ends as it does: no sooner, and a signal to us is one to it."""
    ended, hold = os.pipe()  # the program inside holds the other end for as long as it lives
    sys.stdout.flush()
    child = subprocess.Popen(argv + [sys.executable] + sys.argv, env=dict(os.environ, **{mark: kind}), pass_fds=[hold],
                             preexec_fn=lambda: _call('prctl', PR_SET_PDEATHSIG, signal.SIGKILL))
    os.close(hold)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all
    for sign in (signal.SIGTERM, signal.SIGHUP):  # unshare holds them off, and when it is killed tells its child
        signal.signal(sign, lambda *_: child.kill())
    code = child.wait()
    os.read(ended, 1)
    sys.exit(code if code >= 0 else 128 - code)


def enter(mark, sign='KILL'):
    """Runs this program again inside the namespaces; returns None there, or a reason here when that is not allowed.

    mark: the variable that tells the program inside that it is; its value says as whom: root or user.
    sign: what the program inside gets when the one outside ends before it.
    """
    if os.environ.get(mark):
        return None
    if shutil.which('unshare') is None or shutil.which('ip') is None:
        return 'unshare (util-linux) and ip (iproute2) are needed'
    kind = 'root' if os.geteuid() == 0 else 'user'
    user = [] if kind == 'root' else ['--user', '--map-root-user']
    for proc in (['--mount-proc'], []):  # not every container allows a /proc of one's own, and we can do without
        argv = ['unshare', *user, '--net', '--mount', '--pid', '--fork', f'--kill-child={sign}', *proc]
        trial = subprocess.run(argv + ['ip', 'link', 'add', 'br0', 'type', 'bridge'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if trial.returncode == 0:
            _follow(argv, mark, kind)
    return f'no network namespace can be made here: {trial.stdout.strip() or trial.returncode}'


def ip_batch(lines):
    done = subprocess.run(['ip', '-batch', '-'], input='\n'.join(lines) + '\n', text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False)
    if done.returncode != 0:
        raise OSError(f'ip: {done.stdout.strip()}')


class Namespace:
    """The network of one host; `with` is being there."""

    def __init__(self):
        self.home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        _call('unshare', CLONE_NEWNET)
        try:
            self.fd = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        finally:
            _call('setns', self.home, CLONE_NEWNET)
        os.set_inheritable(self.fd, True)

    def plug(self, port, size=''):
        """Joins it to the bridge br0 of the program's network by a cable that ends here as eth0."""
        ip_batch([f'link add {port} {size} type veth peer name eth0 {size} netns /proc/self/fd/{self.fd}',
                  f'link set {port} master br0 up'])
        with self:
            ip_batch(['link set lo up', 'link set eth0 up'])

    def join(self):
        """Moves the calling thread here for good: for a child before it becomes another program."""
        _call('setns', self.fd, CLONE_NEWNET)

    def __enter__(self):
        self.join()

    def __exit__(self, *_):
        _call('setns', self.home, CLONE_NEWNET)

    def connect(self, port, address='127.0.0.1', timeout=10):
        """A TCP connection made from this host, as seen there."""
        with self:
            return socket.create_connection((address, port), timeout=timeout)

    def close(self):
        os.close(self.fd)
        os.close(self.home)
